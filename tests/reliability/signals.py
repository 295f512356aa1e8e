#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No signal that somebody sends is lost on its way, whatever else goes on; a second TERM or INT ends a shutdown at
once; HUP may come as often as it likes."""
import ctypes
import random
import signal
import subprocess
import sys
import time

from report import QUICK, Section
from lib import ROOT, Failure, Init, called, check, tool, until

LIBC = ctypes.CDLL(None, use_errno=True)
FORWARDED = 200 if QUICK else 2000
BURST = 2000 if QUICK else 10000
RELOADS = 20 if QUICK else 200
SOON = 15 if QUICK else 2  # s; the short run is for any machine under any load
PATIENCE = 60  # s, for all signals of one run to arrive on a loaded machine
LAST, USR1, USR2, RTMIN = 64, 10, 12, 34
NEVER = {9, 17, 19}  # not passed on, or not to be had
STOPPING = {20, 21, 22}  # taken back by CONT where the program has not looked yet
WAYS = {"muster-init": (None, ()), "tini -s": ("tini", ("-s",)), "dumb-init": ("dumb-init", ()),
        "catatonit": ("catatonit", ())}

STUBBORN = f"""
[muster]
stop_timeout = 10m
[service:a]
command = {tool("misbehave")} ignore TERM pid {{dir}}/up forever
stop_grace_period = 10m
"""
QUIET = f"""
[service:a]
command = {tool("misbehave")} pid {{dir}}/up forever
"""


def send_value(pid, signo, value):
    """sigqueue(3); False where the kernel's queue is full."""
    if LIBC.sigqueue(pid, signo, ctypes.c_void_p(value)) == 0:
        return True
    check(ctypes.get_errno() == 11, f"sigqueue: errno {ctypes.get_errno()}")
    return False


def start(way, pid1, *noise, **options):
    name, words = WAYS[way]
    return Init(*words, "--", tool("misbehave"), *noise, "record", "{dir}/record", "KILL", pid1=pid1,
                program=called(name) if name else None, **options)


class Recorded:
    """What the program has written down, read as it grows: pairs of signal and value."""

    def __init__(self, init):
        init.wait_file("record")
        self.file = open(init.path("record"), encoding="ascii")
        self.file.readline()
        self.rest = ""
        self.got = []

    def read(self):
        lines = (self.rest + self.file.read()).split("\n")
        self.rest = lines.pop()
        self.got += [tuple(map(int, line.split())) for line in lines]
        return self.got

    def wait(self, count, wanted=lambda pair: True):
        """Whether so many arrive."""
        try:
            until(lambda: sum(map(wanted, self.read())) >= count, "they arrive", PATIENCE)
        except Failure:
            return False
        return True


def forward_one_by_one(way, pid1, noise=()):
    """Signals that do not queue, in random order, each of them awaited: how many did not come."""
    choice = random.Random(1)
    numbers = [number for number in range(1, LAST + 1) if number not in NEVER | STOPPING]
    if way != "muster-init":
        numbers = [USR1, USR2, RTMIN, 1, 2, 3, 15]
    lost = 0
    with start(way, pid1, *noise) as init:
        recorded = Recorded(init)
        for _ in range(FORWARDED):
            signo = choice.choice(numbers)
            before = len(recorded.got)
            init.signal(signo)
            lost += not recorded.wait(before + 1) or recorded.got[before:] != [(signo, 0)]
    return lost


def is_real_time(pair):
    return pair[0] >= RTMIN


def burst(pid1, stopped):
    """Real-time signals with values, as fast as they can be sent: taken by the kernel, missing, wrong or out of order."""
    with start("muster-init", pid1) as init:
        recorded = Recorded(init)
        if stopped:  # all of them wait in init's queue
            init.signal(signal.SIGSTOP)
        sent = [value for value in range(BURST) if send_value(init.pid, RTMIN + value % 4, value)]
        if stopped:
            init.signal(signal.SIGCONT)
        recorded.wait(len(sent), is_real_time)
        got = [pair for pair in recorded.got if is_real_time(pair)]
        wrong = sum(signo != RTMIN + value % 4 for signo, value in got)
        for number in range(RTMIN, RTMIN + 4):
            values = [value for signo, value in got if signo == number]
            wrong += values != sorted(set(values))
        return len(sent), len(sent) - len(got), wrong


def stop_twice(first, second, pid1):
    """Seconds from the second signal to the end, and the exit code."""
    with Init(config=STUBBORN, pid1=pid1) as init:
        init.wait_file("up")
        init.signal(first)
        until(lambda: init.services()["a"]["state"] == "stopping", "the shutdown has begun")
        begin = time.monotonic()
        init.signal(second)
        code = init.wait()
        return time.monotonic() - begin, code


def reload_often(pid1):
    """HUP again and again: whether the service runs on as the same process."""
    with Init(config=QUIET, pid1=pid1) as init:
        init.wait_file("up")
        for _ in range(RELOADS):
            init.signal(signal.SIGHUP)
        until(lambda: "reload" in init.stderr, "a reload is reported")
        same = init.read("up").count("\n") == 1 and init.services()["a"]["state"] == "running"
        init.signal(signal.SIGTERM)
        return same and init.wait() == 0


section = Section("Signals", """
    Each signal is sent to init from outside its PID namespace, and the program that it runs writes down what it
    gets. Signals 1 to 31 do not queue, so each of them is awaited before the next; real-time signals are sent as
    fast as the sender can, and have to arrive all, in order and with their values, up to the kernel's own limit
    (`ulimit -i`). What each signal does is in docs/signals.md.""")

if not QUICK:  # make test runs it anyway
    table = subprocess.run([sys.executable, "-B", str(ROOT / "tests" / "run" / "signals_table.py")],
                           capture_output=True, text=True, check=False)
    section.goal("docs/signals.md holds: 64 signals, 7 columns, as PID 1 and as a subreaper", "yes",
                 "yes" if table.returncode == 0 else table.stderr.strip().rpartition("\n")[2], table.returncode == 0)

NOISE = ("child", "[", "times", "100000", "[", "orphans", "20", "]", "]")
rows = []
for way in WAYS:
    for pid1 in (True, False):
        lost = forward_one_by_one(way, pid1)
        rows.append([way, "PID 1" if pid1 else "not PID 1", "nothing", FORWARDED, lost])
for pid1 in (True, False):
    lost = forward_one_by_one("muster-init", pid1, NOISE)
    rows.append(["muster-init", "PID 1" if pid1 else "not PID 1", "orphans end without pause", FORWARDED, lost])
section.table(["forwarded one by one", "as", "meanwhile", "sent", "lost"], rows)
most = {way: max(row[-1] for row in rows if row[0] == way) for way in WAYS}
ours = most.pop("muster-init")
section.goal(f"lost of {FORWARDED} forwarded signals, any row", "0", ours, ours == 0,
             ", ".join(f"{way}: {lost}" for way, lost in most.items()) + " (here)")

rows = []
for pid1 in (True, False):
    for stopped in (False, True):
        rows.append(["PID 1" if pid1 else "not PID 1", "stopped while they come" if stopped else "running",
                     *burst(pid1, stopped)])
section.table([f"burst of {BURST} real-time signals, as", "init is", "sent", "lost", "wrong"], rows)
section.goal(f"lost or wrong of {BURST} real-time signals, any row", "0", max(row[3] + row[4] for row in rows),
             all(row[2:] == [BURST, 0, 0] for row in rows))

rows = []
for first, second in (("TERM", "TERM"), ("TERM", "INT"), ("INT", "INT"), ("INT", "TERM"), ("RTMIN+3", "TERM")):
    numbers = [37 if name == "RTMIN+3" else int(signal.Signals[f"SIG{name}"]) for name in (first, second)]
    for pid1 in (True, False):
        seconds, code = stop_twice(*numbers, pid1)
        rows.append([f"{first}, then {second}", "PID 1" if pid1 else "not PID 1", f"{seconds * 1000:.0f} ms", code])
section.table(["shutdown of what ignores TERM, grace 10 min", "as", "end after the second", "exit code"], rows)
slowest = max(int(row[2].split()[0]) for row in rows)
section.goal("from the second signal to the end", f"{SOON} s", f"{slowest / 1000:.2f} s", slowest <= SOON * 1000)
section.goal("exit code after a shutdown that was asked for", "0", max(row[3] for row in rows), not any(row[3] for row in rows))
kept = all([reload_often(True), reload_often(False)])
section.goal(f"after {RELOADS} times HUP the service is the same process", "yes", "yes" if kept else "no", kept)
section.finish()
