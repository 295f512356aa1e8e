#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whichever single system call of muster-init fails, with whatever error: all works, or it ends soon with a line.

strace makes one call fail; it is attached before the program is executed, so that as PID 1 init alone is traced.
A traced PID 1 does not die of a fault (its signals come again for ever), so faults are looked for in the trace.
"""
import collections
import concurrent.futures
import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from report import QUICK, Section
from lib import Failure, Init, equal, need, proc_children, proc_status, read_proc, tool, until

STRACE = need("strace")
M = tool("misbehave")
ERRORS = ("EINTR", "EAGAIN", "ENOMEM", "EPERM", "ENOSYS", "EMFILE", "ENOSPC", "EIO", "EACCES")
LIMIT = 10 if QUICK else 2  # seconds until it works or has ended; the short run is for busy machines, too
STOP = 3  # stop_timeout; one second later it has ended, whatever failed
PATIENCE = 20
FIRST = "fcntl(0, F_GETFD"  # the first call of main()
CANNOT_FAIL = {"getpid", "geteuid", "getuid", "getgid", "getegid", "getppid", "gettid", "exit_group", "rt_sigreturn",
               "execve", "restart_syscall"}
FULL, COMPLAINED, ENDED, BAD = "works", "works with a warning", "ends with code and line", "bad"

CONFIG = f"""
[muster]
stop_timeout = {STOP}s
[service:db]
command = {M} notify READY=1 forever
readiness_probe = notify
restart_backoff = 10ms..100ms
[service:queue]
command = {M} print hello forever
log = file:{{dir}}/queue.log
depends_on = db
restart_backoff = 10ms..100ms
[service:web]
command = {M} orphan [ ignore TERM setsid forever ] pid {{dir}}/up forever
depends_on = queue
restart_backoff = 10ms..100ms
stop_grace_period = 200ms
listen = unix:{{dir}}/sockets/web
[service:lazy]
command = {tool("listener")}
listen = unix:{{dir}}/sockets/lazy
start = on-demand
idle_stop = 100ms
restart_backoff = 10ms..100ms
"""


class Wrap:
    """A program that leaves a process behind that ignores TERM, and exits with 5."""
    name = "wrap"
    code = 5
    first = FIRST
    program = None
    words = ("--grace", "50ms", "--")

    @classmethod
    def options(cls):
        return [*cls.words, M, "orphan", "[", "ignore", "TERM", "setsid", "pid", "{dir}/orphan", "forever", "]",
                "await", "{dir}/orphan", "exit", "5"], {"program": cls.program}

    @staticmethod
    def use(_):
        pass


def answers(path):
    """Whether somebody answers at the unix socket, and soon."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.5)
        client.connect(path)
        client.sendall(b"x\n")
        return bool(client.recv(16))
    return False


class Supervise:
    """Three services until all run, and one that starts when somebody connects, then an orderly shutdown."""
    name = "supervise"
    code = 0
    first = FIRST
    program = None

    @staticmethod
    def options():
        return [], {"config": CONFIG}

    @staticmethod
    def use(run):
        until(lambda: run.init.read("up") or run.has_ended(), "all run", PATIENCE)
        until(lambda: run.has_ended() or answers(run.init.path("sockets/lazy")), "somebody answers", PATIENCE)
        if not run.has_ended():
            run.up = time.monotonic() - run.begin
            with contextlib.suppress(ProcessLookupError):
                os.kill(run.pid, signal.SIGTERM)


def peers():
    """Programs that wrap one, as PID 1; the first call of their main() is everybody's rt_sigprocmask."""
    for name in ("tini", "dumb-init", "catatonit"):
        path = shutil.which(name)
        if path:
            yield type(name, (Wrap,), {"name": name, "words": ("--",), "first": "rt_sigprocmask(", "program": path})


def open_fifo(path):
    """The writing end, once somebody reads."""
    def look():
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    return until(look, f"{path} is read", PATIENCE)


class Run:
    """One run with one fault, or none. `inject` is strace's expression."""

    def __init__(self, mode, pid1, inject=None):
        self.mode, self.pid1, self.inject = mode, pid1, inject
        self.begin = self.up = self.code = self.pid = None
        self.seconds = 0
        self.survivors = []
        self.trace = self.stderr = ""
        arguments, options = mode.options()
        wait = ["sh", "-c", 'read go <"$0/go"; exec "$@"', "{dir}"]
        if not pid1:  # below a shell that is PID 1, tells the code and stays until it is told to go
            wait = ["sh", "-c", '"$@"; echo $? >"$0/code"; read end <"$0/end"', "{dir}", *wait]
        self.init = Init(*arguments, prefix=wait, **options)
        for fifo in ("go", "end"):
            os.mkfifo(self.init.path(fifo))
        with contextlib.suppress(Failure), self.init:
            self.show()

    def has_ended(self):
        return not self.init.running() or bool(self.init.read("code"))

    def show(self):
        init = self.init
        self.pid = init.pid if self.pid1 else until(lambda: proc_children(init.pid), "the shell forks")[0]
        # the shell has made all its calls but one, so that the numbers of init's are always the same
        go = open_fifo(init.path("go"))
        until(lambda: b"pipe_read" in read_proc(self.pid, "wchan"), "the shell reads")
        command = [STRACE, "-q", "-o", init.path("trace"), "-p", str(self.pid)]
        tracer = subprocess.Popen(command + (["-e", f"inject={self.inject}"] if self.inject else []),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: proc_status(self.pid).get("TracerPid", "0") != "0", "strace is attached")
            self.begin = time.monotonic()
            os.write(go, b"\n")
            self.mode.use(self)
            until(self.has_ended, "the end", PATIENCE)
            self.seconds = time.monotonic() - self.begin
            self.find_end()
        finally:
            os.close(go)
            tracer.terminate()  # it detaches, and its file is complete
            tracer.wait()
            self.trace, self.stderr = init.read("trace"), init.stderr

    def find_end(self):
        init = self.init
        if self.pid1:
            self.code = init.wait()
            return
        self.code = int(init.read("code"))
        shells = {init.process.pid, init.pid}
        with contextlib.suppress(Failure):
            until(lambda: set(init.pids()) <= shells, "all are gone", LIMIT)
        self.survivors = [init.describe(pid) for pid in init.pids() if pid not in shells]
        os.close(open_fifo(init.path("end")))
        init.wait()

    def verdict(self):
        """(one of the four, why)"""
        complaints = [line for line in self.stderr.splitlines() if re.search("cannot|error|warning|lost", line)
                      and not re.search("killing it|had to be killed", line)]  # of which one is expected
        if re.search(r"--- SIG(SEGV|ABRT|BUS|ILL|FPE|SYS)", self.trace):
            return BAD, "a fault"
        if self.code is None:
            return BAD, f"hangs: {self.stderr!r}"
        if self.survivors and not re.search("subreaper|adopt orphans", self.stderr):  # it cannot, and has said so
            return BAD, f"left behind: {self.survivors}"
        if self.up is not None and self.seconds - self.up > STOP + LIMIT / 2:
            return BAD, f"took {self.seconds - self.up:.1f} s to stop"
        if (self.seconds if self.up is None else self.up) > LIMIT:
            return BAD, f"took {self.up or self.seconds:.1f} s"
        if self.mode.program:  # any code and any line
            complaints, codes = self.stderr.splitlines(), range(1, 256)
        else:
            codes = 70, 77, 78, 126, 127
        if self.code == self.mode.code and (self.mode is not Supervise or self.up is not None):
            return (COMPLAINED, complaints[0]) if complaints else (FULL, "")
        if self.code in codes and complaints:
            return ENDED, complaints[-1]
        return BAD, f"code {self.code}: {self.stderr!r}"


def points_of(trace, most, first=FIRST):
    """(call, number) of what loader and C library do, and of what main() does: of a call that comes often the
    first few and the last two."""
    counts, before, own = collections.Counter(), [], []
    executed = reached = False
    for line in trace.splitlines():
        call = line.split("(")[0]
        if not re.fullmatch(r"[a-z0-9_]+", call):
            continue
        counts[call] += 1
        reached = reached or line.startswith(first)
        if executed and call not in CANNOT_FAIL:
            (own if reached else before).append((call, counts[call]))
        executed = executed or call == "execve"

    def few(points):
        by_call = collections.defaultdict(list)
        for call, number in points:
            by_call[call].append(number)
        return [(call, number) for call, numbers in by_call.items()
                for number in (numbers if len(numbers) <= most else numbers[:most - 2] + numbers[-2:])]
    return few(before), few(own)


def clean_run(mode, pid1):
    run = Run(mode, pid1)
    equal(run.verdict(), (FULL, ""), f"{mode.name} without a fault, {run.stderr!r}")
    return run


def inject(mode, pid1, call, number, error):
    # brk tells its failure by what it returns
    how = "retval=0" if call == "brk" else f"error={error}"
    run = Run(mode, pid1, f"{call}:{how}:when={number}")
    return "(INJECTED)" in run.trace, run.verdict(), f"{call} number {number}, {error}"


def count(mode, pid1, points):
    """Every point with every error: how often each verdict came, and the bad ones."""
    verdicts, bad, missed = collections.Counter(), [], 0
    jobs = [(call, number, error) for i, (call, number) in enumerate(points) for j, error in enumerate(ERRORS)
            if (not QUICK or (i + j) % len(ERRORS) == 0) and (call != "brk" or error == "ENOMEM")]
    with concurrent.futures.ThreadPoolExecutor(2 * len(os.sched_getaffinity(0))) as pool:
        runs = list(pool.map(lambda job: inject(mode, pid1, *job), jobs))
        for job, (reached, (verdict, why), what) in zip(jobs, runs):
            if verdict == BAD and why.startswith("took"):  # the machine may have been busy: once more, alone
                reached, (verdict, why), what = inject(mode, pid1, *job)
            if not reached:
                missed += 1
                continue
            verdicts[verdict] += 1
            if verdict == BAD:
                bad.append(f"{mode.name}, {'PID 1' if pid1 else 'subreaper'}: {what}: {why}")
    return verdicts, bad, missed


def main():
    section = Section("Any one system call of init fails", f"""
        One system call of muster-init fails once, with {', '.join(ERRORS)} each: every call of its own from the
        first of main() to its end (start-up, running, shutdown), of those that come often the first and the last.
        Wrapping, the program leaves a process behind that ignores TERM; supervising, three services start in
        order, with readiness, logs, a log file and a socket, another starts when somebody connects, and all are shut
        down. Within 2 s it either does all it should, or
        ends with a documented code and a line that says why; a shutdown ends by stop_timeout and a second; it never
        hangs, and no process stays. Other programs wrap the same program as PID 1; of theirs any code and any line
        counts.""")
    rows, bad = [], []
    total = 0
    modes = list(itertools.product((Wrap, Supervise), (True, False))) + [(peer, True) for peer in ([] if QUICK else peers())]
    of_peers = []
    for mode, pid1 in modes:
        own = points_of(clean_run(mode, pid1).trace, 3 if QUICK else 12, mode.first)[1]
        if QUICK and not pid1:
            own = own[::3]  # most is the same
        verdicts, failures, missed = count(mode, pid1, own)
        if mode.program:
            of_peers.append(f"{mode.name} {verdicts[BAD]} of {verdicts.total()}")
        else:
            bad += failures
            total += verdicts.total()
        rows.append([f"{mode.name}, {'PID 1' if pid1 else 'subreaper'}", len(own), verdicts.total(),
                     *(verdicts[verdict] for verdict in (FULL, COMPLAINED, ENDED, BAD)), missed])
    if not QUICK:
        before = points_of(clean_run(Wrap, False).trace, 12)[0]
        verdicts, failures, _ = count(Wrap, False, before)
        hung = [failure for failure in failures if "hangs" in failure or "left behind" in failure]
        bad += hung
        section.say(f"Before main(), in the loader and the C library, {verdicts.total()} faults at {len(before)} "
                    f"points: {verdicts[FULL]} times it works, otherwise it ends before anything was started.")
    section.table(["init", "points", "faults", FULL, COMPLAINED, ENDED, BAD, "not reached"], rows)
    if bad:
        section.say("Bad:\n\n" + "\n".join(f"- {line}" for line in bad))
    section.goal("faults after which it neither works nor ends with code and line", "0", f"{len(bad)} of {total}", not bad,
                 ", ".join(of_peers) + " (here, with any code and any line)" if of_peers else "")
    section.finish()


if __name__ == "__main__":
    main()
