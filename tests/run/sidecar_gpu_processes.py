# SPDX-License-Identifier: MIT
"""Processes on a GPU are matched to the service whose tree they are in, when it is known that the driver's
number is that process: in the namespace of the machine, or when it has an NVIDIA device open. Else the number
is told as one of the host, though a process here has the same."""

import contextlib
import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

from lib import IS_ROOT, Init, check, equal, free_port, need, proc_children, until
from sidecarlib.gpu import Gpus, Scenario, library
from sidecarlib.metrics import scrape, value

MACHINE = 0xEFFFFFFC  # the first PID namespace
NOBODY = 4190001      # a number that no process has
PORT = free_port()


def in_first_namespace():
    return os.stat("/proc/self/ns/pid").st_ino == MACHINE


def trees():
    shell = subprocess.Popen([need("sh"), "-c", "sleep 1000 & wait"], stdout=subprocess.DEVNULL)
    try:
        child = until(lambda: proc_children(shell.pid), "its child")[0]
        lines = [f"process 0 {shell.pid} -1", f"process 0 {child} 4096", f"process 0 {os.getpid()} 512",
                 f"process 0 {NOBODY} 8192"]
        with Gpus(*lines, services=[{"name": "web", "pid": shell.pid}, {"name": "db", "pid": NOBODY}]) as gpus:
            found = gpus.status("ok")["gpus"][0]["processes"]
            if in_first_namespace():
                equal(found, [{"pid": shell.pid, "service": "web"}, {"pid": child, "service": "web", "memory_bytes": 4096},
                              {"pid": os.getpid(), "memory_bytes": 512}, {"host_pid": NOBODY, "memory_bytes": 8192}],
                      "processes")
                metrics = scrape(gpus)
                equal([value(metrics, "muster_gpu_service_memory_bytes", gpu="0", mig="", service=name)
                       for name in ("web", "")], [4096, 8704], "memory by service")
            else:
                check(not any("service" in process or "pid" in process for process in found), found)
                print("not in the first PID namespace: no tree can be matched", flush=True)
    finally:
        for pid in proc_children(shell.pid) + [shell.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        shell.wait()


CONFIG = f"""
[sidecar]
listen = 127.0.0.1:{PORT}
user = 65532
[service:plain]
command = sleep 1000
user = 65532
[service:holder]
command = sh -c "exec sleep 1000 <DEVICE"
user = 65532
"""


def namespace():
    """In a container: evidence counts, and a pid alone is none."""
    device = pathlib.Path(f"/dev/nvidia-test-{os.getpid()}")
    fake = Scenario()
    try:
        device.write_text("")
        device.chmod(0o644)
        with Init(config=CONFIG.replace("DEVICE", str(device)),
                  env={"FAKE_NVML": str(fake.file), "MUSTER_NVML": library()}) as init:
            init.wait_line("all ready after")
            pids = {name: init.services()[name]["pid"] for name in ("plain", "holder")}
            # the shell has become `sleep` before its descriptor says anything
            holder = init.outside(pids["holder"])
            until(lambda: os.readlink(f"/proc/{holder}/exe").endswith(("sleep", "coreutils", "busybox")), "the device is held")
            fake.set(f"process 0 {pids['plain']} 1", f"process 0 {pids['holder']} 2", f"process 0 {NOBODY} 3")

            def look():
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/status", timeout=20) as answer:
                        gpus = json.load(answer)["gpus"]
                except urllib.error.URLError: # the services may be ready before the sidecar serves
                    return None
                time.sleep(0.1)
                return gpus and len(gpus[0]["processes"]) == 3 and gpus[0]["processes"]

            equal(until(look, "the processes", 60),
                  [{"host_pid": pids["plain"], "memory_bytes": 1}, {"pid": pids["holder"], "service": "holder", "memory_bytes": 2},
                   {"host_pid": NOBODY, "memory_bytes": 3}], "processes in a namespace")
            init.signal(15)
            equal(init.wait(), 0, "code")
            check("0 orphans reaped; none had to be killed" in init.stderr, init.stderr)
    finally:
        device.unlink(missing_ok=True)
        fake.close()


trees()
if IS_ROOT and os.access("/dev", os.W_OK):
    namespace()
else:
    print("the part in a namespace needs root", flush=True)
