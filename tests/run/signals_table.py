#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each of the signals 1 to 64 does what docs/signals.md says, in every mode and under every name, sent from
outside the PID namespace and to a subreaper."""
import contextlib
import os
import signal
import tempfile

from lib import ROOT, Init, called, check, equal, is_pending, proc_state, read_proc, tool, until

CONT, LAST = int(signal.SIGCONT), 64
COLUMNS = {  # what wraps a program: name and options
    "wrap mode": (None, ()),
    "tini": ("tini", ()),
    "dumb-init": ("dumb-init", ()),
    "dumb-init -c": ("dumb-init", ("-c",)),
    "catatonit": ("catatonit", ()),
}
STOPS = ("passed on, init stops", "STOP to the group, init stops", "stops init")
SERVICE = f"""
[service:a]
command = {tool("misbehave")} record {{dir}}/a 9
"""


def read_table():
    """{column: {number: words}}"""
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in (ROOT / "docs" / "signals.md").read_text().splitlines() if line.startswith("|")]
    begin = next(i for i, row in enumerate(rows) if row[:2] == ["no.", "signal"])
    header, rows = rows[begin], rows[begin + 2:]
    equal([int(row[0]) for row in rows], list(range(1, LAST + 1)), "rows of the table")
    return {name: {int(row[0]): row[i] for row in rows} for i, name in enumerate(header) if i > 1}


def is_stopped(pid):
    return proc_state(pid) == "T"


def kill(init):
    init.signal(signal.SIGKILL)
    code = init.wait()
    if init.pid1:  # the code is unshare's, which has its own ideas
        until(lambda: not init.pids(), "all of the namespace is gone")
        return
    equal(code, 137, "exit code after KILL")
    for pid in init.pids():
        with contextlib.suppress(ProcessLookupError):  # it may end by itself
            os.kill(pid, signal.SIGKILL)


class Recorded:
    """A run whose program, and another process of its group, write down what they get."""

    def __init__(self, init, words):
        self.init = init
        self.expected = {"main": [], "other": []}
        self.both = "to the group" in words.values()
        for name in self.expected:
            init.wait_file(name)

    def lines(self, name):
        return self.init.read(name).splitlines()[1:]

    def expect(self, signo, everybody):
        for name in self.expected if everybody else ["main"]:
            self.expected[name].append(f"{signo} 0")

    def send(self, signo, arrives=True):
        self.init.signal(signo)
        if arrives:
            self.expect(signo, self.both)

    def settle(self, what):
        """The highest number is taken last, so what was sent before has been dealt with."""
        self.send(LAST)
        until(lambda: all(self.lines(name)[-1:] == self.expected[name][-1:] and
                          len(self.lines(name)) >= len(self.expected[name])
                          for name in self.expected if name == "main" or self.both),
              lambda: f"{what} is dealt with: {self.lines('main')[-3:]}")
        equal(self.lines("main"), self.expected["main"], f"signals of the program after {what}")

    def stop(self, signo, words, pids):
        """A signal that stops init, which as PID 1 it cannot do itself."""
        self.send(signo, words.startswith("passed on"))
        if words.startswith("passed on"):  # CONT would take it back before the program has it
            until(lambda: self.lines("main") == self.expected["main"], f"signal {signo} arrives")
        elif words.startswith("STOP"):
            until(lambda: all(map(is_stopped, pids)), "the group is stopped")
        if words == "stops init" or not self.init.pid1:
            until(lambda: is_stopped(self.init.pid), f"signal {signo} stops init")
        else:
            until(lambda: not is_pending(self.init.pid, signo), f"signal {signo} is taken")
        self.send(CONT)
        until(lambda: not is_stopped(self.init.pid), "init goes on")


def try_wrapped(words, name, options, pid1):
    with Init(*options, "--", tool("misbehave"), "orphan", "[", "record", "{dir}/other", 9, "]",
              "record", "{dir}/main", 9, program=called(name) if name else None, pid1=pid1) as init:
        run = Recorded(init, words)
        pids = [pid for pid in init.pids() if pid != init.pid and pid != init.process.pid]
        equal(len(pids), 2, "processes of the program")
        for signo, word in words.items():
            if word == "kills init":
                continue
            if word in STOPS:
                run.stop(signo, word, pids)
            else:
                check(word in ("passed on", "to the group", "dropped", "reaps"), f"{word!r} is explained")
                run.send(signo, word in ("passed on", "to the group"))
            run.settle(f"signal {signo}")
        equal(run.lines("other"), run.expected["other"], "signals of the other process")
        kill(init)


def try_supervised(words, pid1):
    with Init(config=SERVICE, pid1=pid1) as init:
        init.wait_file("a")
        for signo, word in words.items():
            if word == "stop" or word == "kills init":
                continue
            before = init.stderr
            init.signal(signo)
            if word == "stops init":
                until(lambda: is_stopped(init.pid), "init is stopped")
                init.signal(CONT)
            elif word in ("reload", "report"):
                until(lambda: init.stderr != before, f"signal {signo}: something is said")
            else:
                check(word in ("dropped", "reaps"), f"{word!r} is explained")
            until(lambda: not is_pending(init.pid, signo), f"signal {signo} is taken")
            equal(init.services()["a"]["state"], "running", f"state after signal {signo}")
            equal(init.read("a"), "begin\n", "signals of the service")
        kill(init)
    for signo in (number for number, word in words.items() if word == "stop"):
        with Init(config="[service:a]\ncommand = sleep 100\n", pid1=pid1) as init:
            until(lambda: init.services().get("a", {}).get("state") == "running", "it runs")
            init.signal(signo)
            equal(init.wait(), 0, f"exit code after signal {signo}")


def try_pausing(words, pid1):
    ends = [signo for signo, word in words.items() if word == "ends"]
    for end in ends:
        with Init("-P", program=called("catatonit"), pid1=pid1, cwd=tempfile.gettempdir()) as init:
            until(lambda: read_proc(init.pid, "comm") == b"catatonit\n" and
                  os.readlink(f"/proc/{init.pid}/cwd") == "/", "it waits")
            for signo, word in words.items() if end == ends[0] else ():
                if word not in ("dropped", "reaps", "stops init"):
                    continue
                init.signal(signo)
                if word == "stops init":
                    until(lambda: is_stopped(init.pid), "init is stopped")
                    init.signal(CONT)
                until(lambda: not is_pending(init.pid, signo), f"signal {signo} is taken")
                check(init.running(), f"goes on after signal {signo}")
            init.signal(end)
            equal(init.wait(), 0, f"exit code after signal {end}")


TABLE = read_table()
for pid1 in (True, False):
    for column, (name, options) in COLUMNS.items():
        try_wrapped(TABLE.pop(column) if not pid1 else TABLE[column], name, options, pid1)
    try_supervised(TABLE["supervise mode"], pid1)
    try_pausing(TABLE["catatonit -P"], pid1)
equal(sorted(TABLE), ["catatonit -P", "supervise mode"], "columns that nobody looked at")
