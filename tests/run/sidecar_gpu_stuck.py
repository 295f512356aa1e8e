# SPDX-License-Identifier: MIT
"""A call to the driver that does not return, whichever it is, stops nothing but the numbers of GPUs: all paths
answer meanwhile, the state is said, one process at most hangs, and once calls return all is well again."""

import time

from lib import check, equal, until
from sidecarlib import calm
from sidecarlib.gpu import Gpus
from sidecarlib.metrics import scrape, value

AT_START = ["Init", "DeviceGetCount", "EventSetCreate"]
WHILE_ASKED = ["DeviceGetHandleByIndex", "DeviceGetUtilizationRates", "DeviceGetComputeRunningProcesses", "all"]


def prompt(gpus):
    """Each path by itself, though the driver hangs."""
    for path in ("/livez", "/readyz", "/status", "/metrics", "/health", "/"):
        begin = time.monotonic()
        equal(gpus.get(path).status, 200, path)
        check(time.monotonic() - begin < 5.5, f"{path} took {time.monotonic() - begin} s")


def stuck(gpus, call):
    status = gpus.status("stuck")
    check("did not return within" in status["gpu"]["reason"], status["gpu"])
    prompt(gpus)
    check(len(gpus.helpers()) <= 2, f"{call}: {gpus.helpers()}")
    found = scrape(gpus)
    equal(value(found, "muster_gpu_collector_up"), 0, "collector")
    check(value(found, "muster_gpu_collector_timeouts_total") >= 1, "timeouts")
    health = gpus.get("/health").json()
    equal((health["status"], health["checks"]["gpu:errors"][0]["status"]), ("warn", "warn"), "health")
    check("did not return" in health["checks"]["gpu:errors"][0]["output"], health)
    return status


def main():
    for call in AT_START:
        with Gpus(f"hang {call}", timeout="1s") as gpus:
            prompt(gpus)
            stuck(gpus, call)
            gpus.scenario("gpus 1")
            gpus.status("ok")
            equal(gpus.stderr.count("did not return"), 1, "said once")
    for call in WHILE_ASKED:
        with Gpus("gpus 2", timeout="6s") as gpus:
            known = gpus.status("ok")["gpus"]
            gpus.scenario("gpus 2", f"hang {call}")
            if call != "all":
                prompt(gpus)
            status = stuck(gpus, call)
            equal(status["gpus"], known, "what was known stays")
            gpus.scenario("gpus 2", "set temperature 0 77")
            gpus.status("ok", lambda status: status["gpus"][0]["temperature_celsius"] == 77)
            equal(calm(lambda: gpus.get("/health").json())["status"], "pass", "health")  # noqa: B023
    # the pause grows: a driver that hangs for good is not asked all the time
    begin = time.monotonic()
    with Gpus("hang Init", timeout="25ms") as gpus:
        gpus.status("stuck")
        until(lambda: value(scrape(gpus), "muster_gpu_collector_timeouts_total") >= 3, "three timeouts", 60)
        check(time.monotonic() - begin > 1.5, "between tries there is a pause that grows")


main()
