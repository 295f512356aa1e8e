# SPDX-License-Identifier: MIT
"""Xids are counted by GPU and number, to the last one of a burst, and survive a crash; they, uncorrected memory
errors and a GPU that is lost are reasons for /health to warn, with the cause."""

import os

from lib import check, equal, until
from sidecarlib import calm
from sidecarlib.gpu import Gpus
from sidecarlib.metrics import scrape, value


def warning(gpus):
    def ask():
        health = gpus.get("/health")
        equal(health.status, 200, "a warning is no failure")
        return health.json()

    health = calm(ask)
    return health["status"], health["checks"]["gpu:errors"][0].get("output")


def xids(status, index):
    return {error["xid"]: error["count"] for error in status["gpus"][index]["xid_errors"]}


def burst():
    with Gpus("gpus 2") as gpus:
        gpus.status("ok")
        equal(warning(gpus), ("pass", None), "before")
        events = [f"event {i % 2} 8 {31 if i % 5 else 79}" for i in range(500)]
        gpus.scenario("gpus 2", *events)
        status = gpus.status("ok", lambda status: sum(map(sum, (xids(status, i).values() for i in (0, 1)))) >= 500)
        equal((xids(status, 0), xids(status, 1)), ({79: 50, 31: 200}, {79: 50, 31: 200}), "Xids")
        check(0 <= status["gpus"][0]["xid_errors"][0]["last_seconds_ago"] < 60, status["gpus"][0]["xid_errors"])
        equal(value(scrape(gpus), "muster_gpu_xid_errors_total", gpu="1", xid="31"), 200, "metric")
        state, output = warning(gpus)
        equal(state, "warn", "health")
        check(output.startswith("GPU 1: Xid 31 (") or output.startswith("GPU 0: Xid "), output)
        # after a crash of the library they are still known, and counted on
        reader = until(lambda: gpus.helpers()[1:], "a reader")[0]
        os.kill(reader, 9)
        until(lambda: "SIGKILL" in gpus.stderr, "its end is told")  # the state is another a second later
        gpus.status("ok")
        gpus.scenario("gpus 2", *events, "event 0 8 48")
        status = gpus.status("ok", lambda status: 48 in xids(status, 0))
        equal(xids(status, 0), {79: 50, 31: 200, 48: 1}, "Xids")
        equal(warning(gpus)[1], "GPU 0: Xid 48 (uncorrectable memory error)", "the latest")


def kinds():
    """No more kinds than there is room for are told apart."""
    with Gpus("gpus 1") as gpus:
        gpus.status("ok")
        gpus.scenario("gpus 1", *(f"event 0 8 {1000 + i}" for i in range(300)))
        status = gpus.status("ok", lambda status: sum(xids(status, 0).values()) == 300)
        equal((len(status["gpus"][0]["xid_errors"]), xids(status, 0)[None]), (257, 44), "kinds")
        equal(value(scrape(gpus), "muster_gpu_xid_errors_total", gpu="0", xid="other"), 44, "metric")


def memory():
    with Gpus("gpus 2", "set uncorrected 1 5") as gpus:
        gpus.status("ok")
        equal(warning(gpus), ("pass", None), "what was there before is no news")
        gpus.scenario("gpus 2", "set uncorrected 1 6")
        gpus.status("ok", lambda status: status["gpus"][1]["ecc_errors"]["uncorrected"] == 6)
        equal(warning(gpus), ("warn", "GPU 1: uncorrected memory error"), "when there are more")
        equal(xids(gpus.status("ok"), 1), {}, "no Xid")
    with Gpus("gpus 2") as gpus:
        gpus.status("ok")
        gpus.scenario("gpus 2", "event 0 2 0")
        until(lambda: warning(gpus) == ("warn", "GPU 0: uncorrected memory error"), "the driver's event")


def lost():
    with Gpus("gpus 2") as gpus:
        gpus.status("ok")
        gpus.scenario("gpus 2", "lose 1")
        gpu = gpus.status("ok", lambda status: "error" in status["gpus"][1])["gpus"][1]
        equal(gpu, {"index": 1, "driver": "550.54.15", "error": "the GPU is lost: it has fallen off the bus",
                    "xid_errors": [], "mig": []}, "a GPU that is lost")
        equal(warning(gpus), ("warn", "GPU 1: the GPU is lost: it has fallen off the bus"), "health")
        found = scrape(gpus)
        equal((value(found, "muster_gpu_up", gpu="0", mig=""), value(found, "muster_gpu_up", gpu="1", mig="")), (1, 0), "up")
        gpus.scenario("gpus 2")
        gpus.status("ok", lambda status: "error" not in status["gpus"][1])
        equal(warning(gpus)[0], "pass", "once it is back")
        # no handle is given at all
        gpus.scenario("gpus 2", "fail DeviceGetHandleByIndex 4")
        gpus.status("ok", lambda status: status["gpus"][0].get("error") == "not permitted")
        # nor a count: then nothing can be known
        gpus.scenario("fail DeviceGetCount 999")
        gpus.status("unavailable", lambda status: "(999)" in status["gpu"]["reason"])


burst()
kinds()
memory()
lost()
