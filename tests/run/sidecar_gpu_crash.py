# SPDX-License-Identifier: MIT
"""A library that crashes ends only the process that it is in, which is started again after a pause; so is one
that was killed; and without the process that watches over it the sidecar goes on, too."""

import os
import signal
import time

from lib import check, equal, until
from sidecarlib.gpu import Gpus, gone
from sidecarlib.metrics import scrape, value


def crashed(status):
    return any(word in str(status["gpu"]["reason"]) for word in ("has crashed: SIGSEGV", "has ended with code"))


def main():
    with Gpus("crash Init") as gpus:
        gpus.status("unavailable", crashed)
        gpus.alive()
        gpus.scenario("gpus 1")
        gpus.status("ok")
    with Gpus("gpus 1") as gpus:
        known = gpus.status("ok")["gpus"]
        begin = time.monotonic()  # of the last look before the first crash was seen

        def first_crash():
            nonlocal begin
            before = time.monotonic()
            if gpus.get("/status").json()["gpu"]["state"] != "ok":
                return True
            begin = before
            return False

        gpus.scenario("gpus 1", "crash DeviceGetPowerUsage")
        until(first_crash, "a crash", 60)
        status = gpus.status("unavailable", crashed)
        equal(status["gpus"], known, "what was known stays")
        found = scrape(gpus)
        equal(value(found, "muster_gpu_collector_up"), 0, "collector")
        check(value(found, "muster_gpu_collector_restarts_total") >= 1, "restarts")
        check("GPUs: the NVIDIA library has crashed" in gpus.stderr or "has ended with code" in gpus.stderr, gpus.stderr)
        until(lambda: value(scrape(gpus), "muster_gpu_collector_restarts_total") >= 3, "three restarts", 60)
        check(time.monotonic() - begin > 2.5, "the pause grows")
        gpus.scenario("gpus 1")
        gpus.status("ok")
        # killed from outside
        keeper, reader = until(lambda: len(gpus.helpers()) == 2 and gpus.helpers(), "both")
        os.kill(reader, signal.SIGKILL)
        gpus.status("unavailable", lambda status: "SIGKILL" in status["gpu"]["reason"])
        gpus.status("ok")
        os.kill(keeper, signal.SIGKILL)
        status = gpus.status("unavailable", lambda status: "looks after" in status["gpu"]["reason"])
        gone(gpus.helpers())
        gpus.alive()
        equal(len(status["gpus"]), 1, "what was known stays")


main()
