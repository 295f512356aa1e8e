# SPDX-License-Identifier: MIT
"""When muster-init's end of the channel closes, the sidecar ends quietly with code 0."""

import contextlib

from lib import equal
from sidecarlib import Page, Sidecar, Target, mute_until_closed


def main():
    with contextlib.ExitStack() as stack:
        mute = stack.enter_context(Target(mute_until_closed))
        sidecar = stack.enter_context(Sidecar())
        Page(sidecar.run_dir, [{"name": "web"}])
        sidecar.watch(1, f"http://127.0.0.1:{mute.port}/", timeout=3600000)
        sidecar.watch(2, "tcp://127.0.0.1:1", period=10)
        sidecar.result()
        sidecar.link.close()
        equal(sidecar.wait(), 0, "exit code")
        equal(sidecar.stderr.count("\n"), 1, f"lines said ({sidecar.stderr})")


main()
