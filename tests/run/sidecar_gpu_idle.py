# SPDX-License-Identifier: MIT
"""While nobody asks, GPUs cost no wake-up: neither the sidecar nor the processes that face the driver; and
where there is none, there is not a process or a thread more than without this part."""

import time

from lib import check, equal, until
from sidecarlib import at_rest, switches
from sidecarlib.gpu import Gpus


def main():
    with Gpus("gpus 8", "quiet yes", linked=False) as gpus:
        gpus.status("ok")
        pids = [gpus.pid] + until(lambda: len(gpus.helpers()) == 2 and gpus.helpers(), "both")
        before = {pid: at_rest(pid) for pid in pids}
        time.sleep(6)  # nothing is awaited: nothing is to happen
        woken = {pid: switches(pid) - before[pid] for pid in pids}
        equal(set(woken.values()), {0}, f"woke up, idle: {woken}")
        # asked often they look at most once a second
        begin = time.monotonic()
        before = switches(pids[2])
        for _ in range(200):
            gpus.get("/metrics")
        seconds = time.monotonic() - begin
        check(switches(pids[2]) - before <= 2 + int(seconds) + 64, "looked once a second at most")
    with Gpus(args=["--gpu", "no"]) as gpus:
        gpus.status("none")
        equal(gpus.helpers(), [], "processes without GPUs")


main()
