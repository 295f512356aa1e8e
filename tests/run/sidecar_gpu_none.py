# SPDX-License-Identifier: MIT
"""Where there is no GPU nothing is spent on it: no process stays, and /status says why there is none, each
reason by its own words; a network of causes that may pass is told from those that will not."""

import os

from lib import check, equal, until
from sidecarlib import calm
from sidecarlib.gpu import Gpus, gone, library
from sidecarlib.metrics import scrape, value

NO_HINT = "nothing here suggests a GPU"


def marked():
    """Whether this machine has what is taken for a mark of a GPU."""
    return any(map(os.path.exists, ("/dev/nvidiactl", "/dev/dxg", "/usr/lib64/libnvidia-ml.so.1", "/usr/lib/libnvidia-ml.so.1",
                                    "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1", "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
                                    "/usr/lib/aarch64-linux-gnu/libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1")))


def none(reason, *lines, warns=False, **options):
    with Gpus(*lines, **options) as gpus:
        status = gpus.status("none")
        check(reason in status["gpu"]["reason"], f"{lines} {options}: {status['gpu']}")
        equal((status["gpus"], status["gpu"]["age_seconds"]), ([], None), f"{reason}: GPUs")
        gone(gpus.helpers())
        found = scrape(gpus)
        equal(value(found, "muster_gpu_collector_state", muster_gpu_collector_state="none"), 1, "state")
        equal({name for name, _ in found if "_gpu_" in name}, {"muster_gpu_collector_state"}, "metrics")
        health = calm(lambda: gpus.get("/health").json())
        equal((health["status"], "gpu:errors" in health["checks"]), ("warn" if warns else "pass", warns), "health")
        equal("GPUs" in gpus.stderr, warns, f"said on stderr: {gpus.stderr}")


def main():
    for code, reason in ((9, "no device: no NVIDIA driver"), (6, "no device: the driver finds none"), (4, "not permitted"),
                         (18, "driver mismatch"), (12, "no library: one that NVML needs")):
        none(reason, f"fail Init {code}")
    none("no device: the driver shows none", "gpus 0")
    none("not permitted", "fail DeviceGetCount 4")
    none("no library: there is no /nonexistent/nvml.so", nvml="/nonexistent/nvml.so")
    none("is not NVIDIA's", nvml="libc.so.6")
    none("cannot be loaded", nvml=__file__)
    none("switched off", args=["--gpu", "no"])
    none("no device", "gpus 0", args=["--gpu", "yes"], warns=True)
    if not marked():
        for devices in (None, "", "void", "none"):
            none(NO_HINT, env={"MUSTER_NVML": None, "NVIDIA_VISIBLE_DEVICES": devices})
        none("no library: there is no libnvidia-ml.so.1", env={"MUSTER_NVML": None, "NVIDIA_VISIBLE_DEVICES": "all"})
        none("no library: there is no libnvidia-ml.so.1", env={"MUSTER_NVML": ""}, args=["--gpu", "yes"], warns=True)

    # an error that may pass is no reason to give up
    with Gpus("fail Init 999") as gpus:
        reason = gpus.status("unavailable", lambda status: "(999)" in str(status["gpu"]["reason"]))["gpu"]["reason"]
        check("an error without a name" in reason, reason)
        equal(gpus.get("/health").json()["status"], "warn", "health")
        equal(value(scrape(gpus), "muster_gpu_collector_up"), 0, "collector")
        gpus.scenario("gpus 1")
        equal(len(gpus.status("ok")["gpus"]), 1, "once it has passed")
        equal(calm(lambda: gpus.get("/health").json())["status"], "pass", "health")
        # what was there may come back: then even these are tried again
        reader = until(lambda: gpus.helpers()[1:], "a reader")[0]
        gpus.scenario("fail Init 18")
        os.kill(reader, 9)
        gpus.status("unavailable", lambda status: "mismatch" in str(status["gpu"]["reason"]))
        gpus.scenario("gpus 1")
        gpus.status("ok")
    # wrong use
    for args, env, word in ((["--gpu", "maybe"], {}, '"maybe"'), ([], {"MUSTER_NVML_TIMEOUT": "5"}, '"5"')):
        gpus = Gpus(nvml=library(), args=args, env=env)
        gpus.listen = None
        with gpus:
            equal(gpus.process.wait(20), 2, "exit code")
            check(word in gpus.stderr, gpus.stderr)


main()
