#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that are slow, silent, many, or speak no HTTP keep nobody from an answer of the sidecar, and cost it little."""
import concurrent.futures
import contextlib
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from report import QUICK, Section
from lib import SECONDS, Failure, check, free_port, tool, until
from sidecarlib import Page, Sidecar, own_memory
from sidecarlib.malformed import corpus

SLOW = 200 if QUICK else 4_000          # connections of each mode
RATE = 200                              # new ones a second: more requests than that would be a flood
SLOW_SECONDS = 1 if QUICK else 30
IDLE = 1_000 if QUICK else 10_000
MALFORMED = 100 if QUICK else 5_000
PATIENCE = 120
GOAL_MS = 5_000 if QUICK else 250       # the short run is one among many tests
MODES = {"slow headers": ["-H", "-i", "2"], "slow bodies": ["-B", "-i", "2", "-s", "8192"],
         "slow reading": ["-X", "-w", "10", "-y", "20", "-n", "2", "-z", "32", "-k", "3"]}
SUPERVISORD = """
[supervisord]
nodaemon = true
logfile = /dev/null
logfile_maxbytes = 0
pidfile = {dir}/pid
[inet_http_server]
port = 127.0.0.1:{port}
[program:one]
command = {program} forever
"""


def ask(port, path="/health", seconds=PATIENCE):
    """A request on a connection of its own: seconds until all of the answer was there, which has to be 200."""
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), seconds) as client:
        client.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())
        answer = b""
        while part := client.recv(65536):
            answer += part
    check(answer.startswith(b"HTTP/1.") and answer[8:12] == b" 200", f"answer {answer[:100]} from port {port}")
    return time.monotonic() - begin


class Asker(threading.Thread):
    """Somebody who wants to know how it goes, all the time."""

    def __init__(self, sidecar):
        super().__init__(daemon=True)
        self.sidecar, self.times, self.errors, self.over = sidecar, [], 0, threading.Event()
        self.start_memory = self.memory = own_memory(sidecar.pid)
        self.start()

    def run(self):
        while not (self.times or self.errors) or not self.over.wait(0.02):
            try:
                self.times.append(ask(self.sidecar.port))
            except (OSError, Failure):
                self.errors += 1
            self.memory = max(self.memory, own_memory(self.sidecar.pid))

    def end(self):
        self.over.set()
        self.join(PATIENCE)
        return sorted(self.times), self.errors, self.memory - self.start_memory


def slow(sidecar, words):
    """Connections of slowhttptest; what it says about them."""
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.run([shutil.which("slowhttptest"), *words, "-c", str(SLOW), "-r", str(RATE), "-l", str(SLOW_SECONDS),
                              "-p", "1", "-u", f"http://127.0.0.1:{sidecar.port}/status"], cwd=directory,
                             capture_output=True, text=True, timeout=SLOW_SECONDS + PATIENCE, check=False)
    check(run.returncode == 0 and "connected" in run.stdout, f"slowhttptest: {run.stdout[-1000:]}")
    return SLOW


def idle(port, count):
    """So many connections at a time that say nothing; as many as there could be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(count, hard - 500)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.settimeout(SECONDS)
            client.connect(("127.0.0.1", port))
        yield count
    yield 0


def silent(sidecar):
    crowd = idle(sidecar.port, IDLE)
    count = next(crowd)
    time.sleep(SLOW_SECONDS / 3)  # they are to stay for a while
    next(crowd)
    return count


def exchange(port, data):
    """Sends this and that there will be no more; returns the beginning of the answer."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        with contextlib.suppress(OSError):  # it may have closed before all was sent
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while part := client.recv(65536):
                received += part
    return received


wrong = []


def malformed(sidecar):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for (name, _), answer in zip(corpus(MALFORMED), pool.map(lambda one: exchange(sidecar.port, one[1]), corpus(MALFORMED))):
            if answer[9:10] == b"2":
                wrong.append(name)
    return MALFORMED


def supervisord():
    """The same idle connections at supervisord's port: what it answers meanwhile."""
    program, port = shutil.which("supervisord"), free_port()
    if not program or QUICK:
        return ""
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/conf", "w", encoding="utf-8") as file:
            file.write(SUPERVISORD.format(dir=folder, port=port, program=tool("misbehave")))
        with subprocess.Popen([program, "-c", f"{folder}/conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
            try:
                until(lambda: answers(port), "supervisord answers", PATIENCE)
                crowd = idle(port, 2_000)
                found = None
                with contextlib.suppress(OSError):
                    next(crowd)
                    found = answers(port, 20)
            finally:
                daemon.kill()
    return f"supervisord {version}, 2,000 idle: " + (f"{found * 1000:.0f} ms" if found else "no answer within 20 s") + " (here)"


def answers(port, seconds=5):
    with contextlib.suppress(OSError, Failure):
        return ask(port, "/", seconds)
    return None


def main():
    section = Section("Clients of the sidecar", """
        Connections that trickle their requests or read their answers slowly (slowhttptest in its modes), that say nothing, and
        requests that are not HTTP, all from this host and to a page with 80 services. Meanwhile somebody asks for /health
        50 times a second, each time with a new connection.""")
    if not shutil.which("slowhttptest"):
        section.say("slowhttptest is not installed: its modes were not tried.")
        MODES.clear()
    rows, worst, grown, failed = [], 0, 0, 0
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": f"service-{number}"} for number in range(80)], phase="ready")
        sidecar.alive()
        shapes = [(name, lambda words=words: slow(sidecar, words)) for name, words in MODES.items()]
        for name, act in [*shapes, ("idle", lambda: silent(sidecar)), ("malformed requests", lambda: malformed(sidecar))]:
            asker = Asker(sidecar)
            count = act()
            times, errors, memory = asker.end()
            check(times, f"{name}: /health was asked {len(times)} times")
            p99 = times[len(times) * 99 // 100] * 1000
            rows.append([name, f"{count:,}", len(times), errors, f"{times[len(times) // 2] * 1000:.1f}", f"{p99:.1f}",
                         f"{times[-1] * 1000:.1f}", f"{memory:+,}"])
            worst, grown, failed = max(worst, p99), max(grown, memory), failed + errors
        sidecar.alive()
    section.table(["clients", "connections", "asked", "failed", "median, ms", "99 %, ms", "longest, ms", "memory, kB"], rows)
    section.goal("/health, 99 % in the worst case", f"{GOAL_MS} ms", f"{worst:.1f} ms", worst <= GOAL_MS, supervisord())
    section.goal("/health not answered, or not with 200", "0", failed, failed == 0)
    section.goal(f"of {MALFORMED:,} malformed requests, answered with 2xx", "0", len(wrong), not wrong)
    section.goal("memory of the sidecar", "at most 8 MiB more", f"{grown / 1024:.1f} MiB more", grown <= 8192)
    section.finish()


main()
