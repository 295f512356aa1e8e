#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Abuse of the control socket by strangers keeps its owner waiting for less than a second, and costs nothing for good.

CONTROL_SECONDS=3600 makes the full run an hour long.
"""
import array
import contextlib
import multiprocessing
import os
import random
import select
import signal
import socket
import struct
import time

from report import QUICK, Section
from lib import DONE, EVENTS, LOGS, PING, START, STOP, Init, check, equal, proc_status, skip, tool, until

if os.geteuid() != 0:
    skip("strangers are other users: needs root")

SECONDS = 4 if QUICK else int(os.environ.get("CONTROL_SECONDS", "60"))
CLIENTS = 1000 if QUICK else 10000
RATE = 5000  # messages a second, of all abusers together
WORKERS = 2
HELD = 150  # connections that each of them keeps open, or tries to
STRANGER = 65534
M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} forever\n[service:talk]\ncommand = {M} lines 2000 forever\n"
MIB = 1 << 20


def packet(kind, body=b"", version=1, size=None):
    return struct.pack("=HHI", version, kind, len(body) if size is None else size) + body


NAME = b"web".ljust(64, b"\0")
GOOD = [packet(PING), packet(EVENTS), packet(LOGS, struct.pack("=III", 100, 1, 0)),
        packet(START, struct.pack("=i", 0) + NAME), packet(STOP, struct.pack("=i", 0) + NAME)]
BAD = [b"\0", b"x", packet(PING, size=1 << 31), packet(PING, version=9), packet(4711, b"y" * 100),
       packet(LOGS, struct.pack("=III", 0, 0, 62)), packet(START, b"z" * 68), b"\xff" * 8192, packet(7, b"q" * 4000)]


# ---- the abusers ----


class Abuser:
    """One process that does everything one should not, at its share of the rate."""

    def __init__(self, path, number, counts):
        self.path = path
        self.dice = random.Random(number)
        self.number = number
        self.counts = counts  # shared, messages and connections of each; no lock, as it is killed in the end
        self.held = []
        self.sent = self.connected = 0

    def connect(self):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.setblocking(False)
        try:
            connection.connect(self.path)
        except OSError:  # no room to wait in
            connection.close()
            return None
        self.connected += 1
        return connection

    def send(self, connection, data, rights=()):
        try:
            if rights:
                extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", rights))]
                connection.sendmsg([data], extra)
            else:
                connection.send(data)
            self.sent += 1
        except OSError:
            return False
        return True

    def hold(self):
        """Holds it open and never reads; says more each time."""
        if len(self.held) < HELD:
            connection = self.connect()
            if connection:
                self.held.append(connection)
        for connection in self.dice.sample(self.held, min(8, len(self.held))):
            if not self.send(connection, self.dice.choice(GOOD + BAD)):
                connection.close()
                self.held.remove(connection)

    def flood(self):
        """Asks and asks, reads nothing, goes."""
        connection = self.connect()
        for _ in range(30 if connection else 0):
            if not self.send(connection, self.dice.choice(GOOD)):
                break
        if connection:
            connection.close()

    def hurry(self):
        """Comes and goes."""
        for _ in range(10):
            connection = self.connect()
            if connection:
                connection.close()

    def pass_descriptors(self):
        connection = self.connect()
        if connection:
            for _ in range(5):
                self.send(connection, self.dice.choice(GOOD), [0] * 250)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            connection.close()

    def noise(self):
        connection = self.connect()
        for _ in range(20 if connection else 0):
            size = self.dice.choice([1, 7, 8, 9, 68, 76, 4008, 9000])
            if not self.send(connection, self.dice.choice(BAD) if size == 1 else self.dice.randbytes(size)):
                break
        if connection:
            with contextlib.suppress(OSError):
                select.select([connection], [], [], 0)
                connection.recv(100)
            connection.close()

    def run(self):
        os.setgroups([])
        os.setresgid(STRANGER, STRANGER, STRANGER)
        os.setresuid(STRANGER, STRANGER, STRANGER)
        begin = time.monotonic()
        ways = [self.hold, self.flood, self.hurry, self.pass_descriptors, self.noise]
        while True:
            self.dice.choice(ways)()
            self.counts[2 * self.number] = self.sent
            self.counts[2 * self.number + 1] = self.connected
            ahead = self.sent / (RATE / WORKERS) - (time.monotonic() - begin)
            if ahead > 0:
                time.sleep(min(ahead, 0.05))


def start_abuse(path, counts):
    workers = [multiprocessing.Process(target=Abuser(path, number, counts).run, daemon=True)
               for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    return workers


def end_abuse(workers):
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()


# ---- its owner ----


def memory(pid):
    return int(proc_status(pid)["VmRSS"].split()[0]) * 1024


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_for_answer(init):
    """How long a question takes, from nothing to the answer."""
    begin = time.monotonic()
    with init.control() as control:
        equal(control.ask(PING)[0], DONE, "answer to the owner")
    return time.monotonic() - begin


def wait_for_status(init):
    begin = time.monotonic()
    equal(init.ctl("status").returncode, 0, "exit code of musterctl status")
    return time.monotonic() - begin


def share(values, part):
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms"


counts = multiprocessing.RawArray("q", 2 * WORKERS)
answers, statuses = [], []
with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    path = str(init.run_dir / "control.sock")
    before = init.services()
    # what it needs for clients at all is paid once
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(init.control())
        wait_for_answer(init)
    until(lambda: descriptors(init.pid) < 40, "descriptors go down")
    rss, fds, peak = memory(init.pid), descriptors(init.pid), 0
    end = time.monotonic() + SECONDS
    workers = start_abuse(path, counts)
    begin = time.monotonic()
    try:
        while time.monotonic() < end or sum(counts[1::2]) < CLIENTS:
            answers.append(wait_for_answer(init))
            peak = max(peak, memory(init.pid))
            if len(answers) % 10 == 1:
                statuses.append(wait_for_status(init))
            time.sleep(0.02)
            check(time.monotonic() < end + 60, f"only {sum(counts[1::2])} connections in {SECONDS + 60} s")
        took = time.monotonic() - begin
    finally:
        end_abuse(workers)
    until(lambda: descriptors(init.pid) <= fds, lambda: f"{descriptors(init.pid)} descriptors, {fds} before")
    after = init.services()
    same = all(after[name]["pid"] == before[name]["pid"] for name in before)
    left = descriptors(init.pid) - fds
    grown = max(peak, memory(init.pid)) - rss
    equal(init.ctl("restart", "web").returncode, 0, "exit code of musterctl restart afterwards")
    init.signal(15)
    equal(init.wait(), 0, "exit code")

section = Section("Abuse of the control socket", f"""
    Two processes of another user do everything to the control socket that one should not, for {took:.0f} s: connections
    that are held open and never read, floods of questions, subscriptions, malformed packets, packets with 250
    descriptors, connections that come and go. Meanwhile init's own user asks, each time with a new connection, and
    looks with `musterctl status`.""")
section.table(["", "count", "median", "99 %", "longest"],
              [[what, len(values), *(milliseconds(share(values, part)) for part in (0.5, 0.99, 1))]
               for what, values in (("question to init", answers), ("musterctl status", statuses))])
section.table(["abuse", "in all", "a second"], [[what, total, round(total / took)] for what, total in (
    ("messages taken by the socket", sum(counts[0::2])), ("connections", sum(counts[1::2])))])
longest = max(answers + statuses)
allowed = 5 if QUICK else 1  # the short run may share the machine with much else
section.goal("longest wait of the owner", f"{allowed} s", milliseconds(longest), longest <= allowed, "–")
section.goal("memory of init", "at most 2 MiB more", f"{grown / MIB:.2f} MiB more", grown <= 2 * MIB)
section.goal("descriptors left", "0", left, left <= 0)
section.goal("services touched", "0", 0 if same else "some", same)
section.finish()
