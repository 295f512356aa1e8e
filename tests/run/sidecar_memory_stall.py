# SPDX-License-Identifier: MIT
"""Processes that wait for memory make /health warn, an event and a line, though the sidecar has no privilege and is
confined; the kernel says so by itself. When they do not wait any more that is told, too."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from lib import check, contains, equal, matches, need_root, skip, until
from rootlib import memory_cgroup
from sidecarlib import Page, Sidecar
from sidecarlib.events import Stream

LIMIT = 12 << 20
UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
# writes more than there is memory for: each page has to wait until another is on the disk
WRITE = """
import sys
while True:
    with open(sys.argv[1], "wb", buffering=0) as file:
        for _ in range(1000):
            file.write(bytes(65536))
"""


def memory_check(sidecar):
    return sidecar.get("/health").json()["checks"]["memory:pressure"][0]


def told(stream):
    """The next warning; other events are passed over."""
    while True:
        event = stream.next()
        if event["event"] == "warn":
            return json.loads(event["data"])


def stalled():
    """Seconds in which somebody waited for memory, as the kernel counts them."""
    return int(pathlib.Path("/proc/pressure/memory").read_text().split("total=")[1].split()[0]) / 1e6


def press(sidecar, group, folder):
    writers = []
    before, deadline = stalled(), time.monotonic() + 30
    try:
        for number in range(2):
            writers.append(subprocess.Popen([sys.executable, "-c", WRITE, f"{folder}/{number}"]))
            (group / "cgroup.procs").write_text(str(writers[-1].pid))
        until(lambda: memory_check(sidecar)["status"] == "warn" or time.monotonic() > deadline, "a warning", 60)
        if memory_check(sidecar)["status"] != "warn" and stalled() - before < 3:
            skip(f"this machine does not come to a halt: {stalled() - before} s of waiting in 30 s")
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()


def check_told(sidecar, group, folder):
    Page(sidecar.run_dir, [{"name": "db"}], phase="ready")
    until(lambda: memory_check(sidecar)["status"] == "pass", "before", 120)
    tag = sidecar.get("/status").headers["ETag"]
    with Stream(sidecar, warnings=True) as stream:
        press(sidecar, group, folder)
        health = sidecar.get("/health")
        equal((health.status, health.json()["status"]), (200, "warn"), "/health")
        contains(memory_check(sidecar)["output"], "wait for memory", "output")
        check(sidecar.get("/status").headers["ETag"] != tag, "/status is another")
        equal(sidecar.get("/status").json()["cgroup"]["pressure"]["memory_stall"], True, "/status")
        first = told(stream)
        equal((first["warning"], first["active"]), ("memory_stall", True), "the event")
        until(lambda: memory_check(sidecar)["status"] == "pass", "the warning ends", 120)
        last = told(stream)
        equal((last["warning"], last["active"]), ("memory_stall", False), "the event")
    matches(sidecar.get("/metrics").text, r"(?m)^muster_memory_stall 0$", "metric")
    matches(sidecar.get("/metrics").text, r"(?m)^muster_memory_stalls_total [1-9]", "metric")
    contains(sidecar.stderr, "processes wait for memory", "its line")
    contains(sidecar.stderr, "do not wait for memory any more", "its line")


def main():
    need_root()
    with memory_cgroup(LIMIT) as group, tempfile.TemporaryDirectory(prefix="muster-test-") as folder, \
         Sidecar(prefix=UNPRIVILEGED if shutil.which("setpriv") else []) as sidecar:
        if "memory:pressure" not in sidecar.get("/health").json()["checks"]:
            skip("the kernel does not tell of stalls, or not to who has no privilege")
        check_told(sidecar, group, folder)


main()
