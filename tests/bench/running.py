# SPDX-License-Identifier: MIT
"""A supervisor at work: started as PID 1 of its own PID namespace, watched through what its
services write down."""
import contextlib
import mmap
import os
import shutil
import signal
import subprocess
import time

import cgroup
import inits
import lib

FIELDS = 4  # of a service_record and of a launch_record (record.h)
LIMIT = 120  # seconds that anything may take


def map_records(path, count):
    with open(path, "wb") as file:
        file.truncate(count * FIELDS * 8)
    os.chmod(path, 0o666)  # a service may be another user
    with open(path, "r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 0)).cast("q")


class Run:
    """with Run(supervisor, services, ...) as run: it is started on entry, gone on exit."""

    def __init__(self, supervisor, services, ready_fd=False, restart=False, pin=None):
        self.supervisor, self.services = supervisor, services
        self.ready_fd, self.restart = ready_fd and supervisor.orders, restart
        self.pin = pin or (lambda: None)  # called in the child: on which CPUs it may run
        self.work = self.view = self.launched = self.process = None

    def __enter__(self):
        self.work = lib.temporary_directory()
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def place(self):
        cgroup.enter()
        self.pin()

    def begin(self):
        cgroup.make()
        self.view = map_records(self.work / "records", len(self.services))
        self.launched = map_records(self.work / "launch", 1)
        job = inits.Job(self.services, str(self.work / "records"), self.ready_fd, self.restart)
        argv, extra = self.supervisor.prepare(self.work, job)
        (self.work / "run").mkdir()
        environment = dict(os.environ, MUSTER_RUN_DIR=str(self.work / "run"), **extra)
        with open(self.work / "output", "wb") as output:
            self.process = subprocess.Popen(
                [lib.tool("launch"), "-n", str(self.work / "launch"), *argv], env=environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=self.place)

    def __exit__(self, *exception):
        if self.process:
            self.end()
        shutil.rmtree(self.work, ignore_errors=True)

    def end(self):
        if self.process.poll() is None and self.launched[0]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.launched[0], signal.SIGKILL)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def fail(self, what):
        output = (self.work / "output").read_text(encoding="utf-8", errors="replace")
        last = "\n    ".join(output.splitlines()[-5:])
        raise lib.Failure(f"{self.supervisor.name}: {what}\n    {last}")

    def wait(self, done, what, pause=0.02, limit=LIMIT):
        """Until done() holds; a supervisor that ends meanwhile has failed."""
        deadline = time.monotonic() + limit
        while not done():
            if self.process.poll() is not None and not done():
                self.fail(f"ended before {what} (status {self.launched[3]:#x})")
            if time.monotonic() > deadline:
                self.fail(f"{what}: not within {limit} s")
            time.sleep(pause)

    @property
    def pid(self):
        return self.launched[0]

    def column(self, field):
        return self.view[field::FIELDS].tolist()

    def starts(self):
        return self.column(0)

    def readies(self):
        return self.column(1)

    def terms(self):
        return self.column(3)

    def wait_ready(self):
        self.wait(lambda: 0 not in self.readies(), "all services were ready")

    def makespan(self):
        """Milliseconds from the init's exec until its last service was ready."""
        return (max(self.readies()) - self.launched[1]) / 1e6

    def violations(self):
        """How many dependencies were not ready when the service that needs them started."""
        starts, readies = self.starts(), self.readies()
        return sum(1 for s in self.services for d in s.deps if starts[s.number] < readies[d])

    def stop(self):
        """Milliseconds from the signal until the init had ended."""
        begin = time.monotonic_ns()
        os.kill(self.pid, self.supervisor.stop_signal)
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.fail("did not stop")
        return (self.launched[2] - begin) / 1e6
