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
        for _ in range(3):  # as in sidecar_idle_sleeps
            before = {pid: at_rest(pid) for pid in pids}
            time.sleep(6)  # nothing is awaited: nothing is to happen
            woken = {pid: switches(pid) - before[pid] for pid in pids}
            if not any(woken.values()):
                break
        equal(set(woken.values()), {0}, f"woke up, idle: {woken}")
        # asked often they look at most once a second
        begin = time.monotonic()
        gpus.scenario("gpus 1", "quiet yes", "count yes")
        first = gpus.fresh()["gpus"][0]["temperature_celsius"]
        for _ in range(200):
            gpus.get("/metrics")
        last = gpus.get("/status").json()["gpus"][0]["temperature_celsius"]
        seconds = time.monotonic() - begin
        check(last - first <= 1 + seconds, f"looked {last - first} times in {seconds} s")
    with Gpus(args=["--gpu", "no"]) as gpus:
        gpus.status("none")
        equal(gpus.helpers(), [], "processes without GPUs")


main()
