# SPDX-License-Identifier: MIT
"""With nothing to do the sidecar does not wake up: probes sleep until they are due and there is no
tick. Here the only things due within the time looked at are the checks themselves."""

import time

from lib import check
from sidecarlib import Page, Sidecar, Target, at_rest, switches


def sleeps_through(sidecar):
    """Six seconds, longer than any limit on a request that has ended; a tick would be in each of them. A machine that
    is short of memory wakes it up to be told so, and brings back pages that a process has not used for long."""
    tries = 0
    for _ in range(10):
        said, before = sidecar.stderr, at_rest(sidecar.pid)
        time.sleep(6)  # nothing is awaited: nothing is to happen
        if switches(sidecar.pid) == before:
            return True
        tries += sidecar.stderr == said
        if tries == 3:
            return False
    return False


def wakes_of_a_beat(sidecar):
    before = at_rest(sidecar.pid)
    sidecar.wait_beat()
    return switches(sidecar.pid) - before


def main():
    # without a channel there is not even a beat to send
    with Sidecar(linked=False) as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}])
        sidecar.alive()
        check(sleeps_through(sidecar), "idle it wakes up again and again")
    # a hundred probes of one check an hour: after the first round there is nothing but the beat
    with Sidecar() as sidecar, Target() as target:
        Page(sidecar.run_dir, [{"name": "db"}])
        for probe in range(100):
            sidecar.watch(probe, f"tcp://127.0.0.1:{target.port}", period=3600000)
        for _ in range(100):
            sidecar.result()
        check(any(wakes_of_a_beat(sidecar) <= 2 for _ in range(3)), "it wakes up more than twice for a beat")


main()
