# SPDX-License-Identifier: MIT
"""While the container is held back by its limit of processor time, probes that succeed come less often, smoothly and
never beyond four periods; one that fails keeps to its period; and all is as before when the container is free again.
The container is a tree of files that stands for the kernel's."""
import pathlib
import threading
import time

from lib import check, equal, until
from sidecarlib import OK, Page, Sidecar, Target, read_head

PERIOD = 0.2
MOUNTINFO = "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"


class Container:
    """A cgroup whose counters go on, ten periods a second, all of them throttled or none."""

    def __init__(self, root):
        self.root = root
        self.throttled = False
        self.over = threading.Event()
        self.periods = self.held = 0
        (root / "proc/self").mkdir(parents=True)
        (root / "cgroup").mkdir()
        (root / "proc/self/cgroup").write_text("0::/\n")
        (root / "proc/self/mountinfo").write_text(MOUNTINFO)
        self.write()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def write(self):
        new = self.root / "cgroup/new"
        new.write_text(f"usage_usec 1\nnr_periods {self.periods}\nnr_throttled {self.held}\nthrottled_usec 0\n")
        new.rename(self.root / "cgroup/cpu.stat")

    def run(self):
        while not self.over.wait(0.1):
            self.periods += 1
            self.held += self.throttled
            self.write()


class Service:
    """Answers as it is told to and notes when it was asked."""

    def __init__(self):
        self.times = []
        self.well = True

    def serve(self, connection):
        while read_head(connection):
            self.times.append(time.monotonic())
            connection.sendall(OK if self.well else b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")


def stretch(sidecar):
    for line in sidecar.get("/metrics").text.splitlines():
        if line.startswith("muster_probe_stretch_ratio "):
            value = float(line.split()[1])
            check(1 <= value <= 4, line)
            return value
    return None


def main():
    service = Service()
    sidecar = Sidecar()
    container = Container(pathlib.Path(sidecar.dir))
    sidecar.args += ["--proc-root", str(container.root / "proc"), "--cgroup-root", str(container.root / "cgroup")]
    with sidecar, Target(service.serve) as target:
        container.thread.start()
        Page(sidecar.run_dir, [{"name": "db"}], phase="ready")
        sidecar.watch(1, f"http://127.0.0.1:{target.port}/", period=int(PERIOD * 1000), role="liveness")
        equal(sidecar.result()["ok"], True, "outcome")
        equal(stretch(sidecar), 1, "free")
        container.throttled = True
        until(lambda: stretch(sidecar) > 2, "the stretch grows", 120)
        status = sidecar.get("/status").json()["sidecar"]
        check(status["probe_stretch_ratio"] > 2 and status["probe_stretch_cause"] == "throttled", status)
        service.times.clear()
        # at least 0.9 * 2, in all: a slow machine makes it more, but where the first is noted late it is less
        until(lambda: any(b - a > 1.6 * PERIOD * 8 for a, b in zip(service.times, service.times[8:])),
              lambda: f"checks are far apart: {service.times}", 60)
        # a service that fails is asked at its period: three failures are not four times as late
        service.well = False
        sidecar.wait_result(lambda result: not result["ok"], "a failure", 60)
        until(lambda: stretch(sidecar) > 2, "still throttled", 120)
        service.times.clear()

        def soon():
            gaps = [b - a for a, b in zip(service.times, service.times[1:])]
            return any(sorted(gaps[at:at + 7])[1] < 1.6 * PERIOD for at in range(len(gaps) - 6))

        until(soon, lambda: f"checks are as often as they should be: {service.times}", 60)
        service.well = True
        container.throttled = False
        highest = stretch(sidecar)
        until(lambda: stretch(sidecar) < 1 + (highest - 1) / 2, "it comes back", 120)
        container.over.set()
        container.thread.join()


main()
