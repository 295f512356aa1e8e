# SPDX-License-Identifier: MIT
"""No check is made before the initial delay is over."""

from lib import check, equal
from sidecarlib import Page, Sidecar, Target, now


def main():
    with Sidecar() as sidecar, Target() as late, Target() as early:
        Page(sidecar.run_dir, [{"name": "db"}])
        begin = now()
        sidecar.watch(2, f"tcp://127.0.0.1:{early.port}", period=60000)
        sidecar.watch(1, f"tcp://127.0.0.1:{late.port}", initial_delay=3000, period=60000)
        equal(sidecar.result()["probe"], 2, "first result")
        equal(sidecar.result()["probe"], 1, "second result")
        check(now() - begin >= 3000 * 10**6, f"came after {now() - begin} ns")


main()
