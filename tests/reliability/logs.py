#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""While nobody reads its stdout muster-init reaps and answers as ever, and counts each line that it has to drop.

The first stall of the full run is ten minutes long; LOGS_SECONDS=20 makes it as long as the others.
"""
import contextlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import tty

from report import QUICK, Section
from lib import DONE, PING, Failure, Init, check, equal, proc_children, read_proc, tool, until

SECONDS = 2 if QUICK else 20
LONG_SECONDS = 2 if QUICK else int(os.environ.get("LOGS_SECONDS", "600"))
WORKERS, BURST, PAUSE = 3, 200, 15  # lines at a time of each chatty service, and ms from one time to the next
SLOW_LINES = 20000 if QUICK else 200000
GOAL = 5000 if QUICK else 100  # ms; the short run is one among many tests
M = tool("misbehave")
CHATTY = """
[service:chatty{i}]
command = {m} await {{dir}}/go times {bursts} [ lines {burst} sleep {pause} ]
type = oneshot
log = {form}
"""
OTHERS = f"""
[muster]
start_timeout = 1h
[service:storm]
command = {M} await {{dir}}/go exit 1
restart = on-failure
restart_limit = unlimited
restart_backoff = 20ms..20ms
essential = no
[service:victim]
command = {M} forever
restart_limit = unlimited
restart_backoff = 1ms..1ms
essential = no
"""
LINE = re.compile(rb'^chatty\d \| line \d+$|"message":"line \d+"}$', re.M)
SAID = re.compile(rb"^muster-init: warning: (\d+) lines? of output dropped", re.M)
SUPERVISORD = """
[supervisord]
nodaemon = true
logfile = /dev/null
logfile_maxbytes = 0
pidfile = {dir}/pid
[unix_http_server]
file = {dir}/sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:chatty]
command = {m} await {dir}/go lines 100000 append {dir}/done x forever
stdout_logfile = /dev/fd/1
stdout_logfile_maxbytes = 0
"""
rows, bad = [], []


def config(bursts):
    """Services that print for half of the time at the most, and those that end."""
    return OTHERS + "".join(CHATTY.format(i=i, m=M, bursts=bursts, burst=BURST, pause=PAUSE, form="prefix" if i else "json")
                            for i in range(WORKERS))


def p99(values):
    return sorted(values)[min(len(values) - 1, len(values) * 99 // 100)] * 1000


def status(init):
    return json.loads(init.ctl("status", "--json", seconds=60).stdout)


class Control(threading.Thread):
    """Asks all the time how it goes; `times` is how long answers took."""

    def __init__(self, init):
        super().__init__(daemon=True)
        self.init, self.times, self.stop = init, [], False
        self.start()

    def run(self):
        with self.init.control() as control:
            while not self.stop:
                begin = time.monotonic()
                equal(control.ask(PING)[0], DONE, "answer")
                self.times.append(time.monotonic() - begin)
                time.sleep(0.02)


def kill_victims(init, until_when):
    """A process ends, init reaps it and says so: how long that took, each time."""
    times = []
    with init.events() as events:
        pid = until(lambda: init.services()["victim"]["pid"], "victim runs", 60)
        while time.monotonic() < until_when:
            begin = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            events.until("victim", "backoff")
            times.append(time.monotonic() - begin)
            pid = events.until("victim", "running")["pid"]
            time.sleep(0.05)
    return times


def watch(init, seconds):
    """The stall itself, then an end to all output: (control times, reap times)."""
    control = Control(init)
    init.write("go", "")
    reaped = kill_victims(init, time.monotonic() + seconds)
    control.stop = True
    control.join(60)
    check(control.times and reaped, "nothing was measured")
    for i in range(WORKERS):  # never held up for long, as their lines are dropped
        init.wait_state(f"chatty{i}", "completed", seconds=120 + seconds)
    for name in ("storm", "victim"):
        init.ctl("stop", name, seconds=60)
        init.wait_state(name, "inactive", "failed", seconds=60)
    return control.times, reaped


def read_all(fd):
    """What comes until nothing has come for a while."""
    os.set_blocking(fd, False)
    text, last = b"", time.monotonic()
    while time.monotonic() - last < 1.5:
        try:
            piece = os.read(fd, 65536)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        except OSError:  # a terminal whose other side is closed
            break
        if not piece:
            break
        text += piece
        last = time.monotonic()
    return text


def stall(what, stdout, recover=None, seconds=SECONDS):
    """One way of not taking output. `recover` gets what was written at last, or there is nothing."""
    bursts = seconds * 1000 // PAUSE // 2
    printed = WORKERS * bursts * BURST
    with Init(config=config(bursts), pid1=False, stdout=stdout) as init:
        until(lambda: (init.services().get("victim") or {}).get("pid"), "victim runs", 60)
        control, reaped = watch(init, seconds)
        text = b""
        for _ in range(10):  # init, or who reads, may stand still for longer than recover() waits
            text += recover().replace(b"\r\n", b"\n") if recover else b""
            seen, said = len(LINE.findall(text)), sum(map(int, SAID.findall(text)))
            dropped = status(init)["init"]["log_dropped"]
            wrong = abs(printed - seen - dropped) + (abs(said - dropped) if recover else 0)
            if not wrong:
                break
            time.sleep(0.5)
        init.signal(signal.SIGTERM)
        equal(init.wait(60), 0, "exit code")
    rows.append([what, f"{seconds} s", printed, seen, dropped, wrong, f"{p99(control):.1f}", f"{p99(reaped):.1f}"])
    if dropped == 0:
        bad.append(f"{what}: nothing was dropped, so nothing was shown")
    return wrong, p99(control), p99(reaped)


def pipe_full():
    reader, writer = os.pipe()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        return stall("a pipe that nobody reads", writer, lambda: read_all(reader), LONG_SECONDS)


def terminal():
    master, slave = pty.openpty()
    tty.setraw(slave)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, master)
        stack.callback(os.close, slave)
        return stall("a terminal that nobody reads", slave, lambda: read_all(master))


def stopped_reader():
    with tempfile.TemporaryDirectory() as folder:
        fifo, copy = f"{folder}/fifo", f"{folder}/copy"
        os.mkfifo(fifo)
        with subprocess.Popen(["sh", "-c", 'exec cat "$0" > "$1"', fifo, copy]) as reader:
            writer = os.open(fifo, os.O_WRONLY)
            copied = open(copy, "rb")
            os.kill(reader.pid, signal.SIGSTOP)

            def recover():
                os.kill(reader.pid, signal.SIGCONT)
                before = -1
                while before != (size := os.path.getsize(copy)) or size == 0:
                    before = size
                    time.sleep(1)  # nothing more comes when it has not grown in that time
                return copied.read()

            try:
                return stall("a FIFO whose reader is stopped", writer, recover)
            finally:
                copied.close()
                os.close(writer)
                reader.kill()


def full():
    with open("/dev/full", "wb") as device:
        return stall("a full disk (/dev/full)", device)


def closed():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return stall("a pipe whose reader has gone", writer)
    finally:
        os.close(writer)


def slow():
    """A reader that takes 64 KiB and then rests, all the time: lines that are missing."""
    reader, writer = os.pipe()
    config = f"[service:flood]\ncommand = {M} await {{dir}}/go lines {SLOW_LINES}\ntype = oneshot\n" \
             f"[service:stay]\ncommand = {M} forever\n"
    with Init(config=config, pid1=False, stdout=writer) as init:
        os.close(writer)
        until(lambda: init.services().get("flood"), "init is there", 60)
        init.write("go", "")
        text, deadline = b"", time.monotonic() + 120
        while text.count(b"\n") < SLOW_LINES and time.monotonic() < deadline:
            text += os.read(reader, 65536)
            time.sleep(0.05)
        dropped = status(init)["init"]["log_dropped"]
        lines = re.findall(rb"^flood \| line (\d+)$", text, re.M)
        init.signal(signal.SIGTERM)
        equal(init.wait(60), 0, "exit code")
    os.close(reader)
    return SLOW_LINES - len(lines) + dropped + (lines != sorted(lines, key=int))


def peer():
    """What supervisord, which takes the output of its programs too, answers while nobody reads its own."""
    program, ctl = shutil.which("supervisord"), shutil.which("supervisorctl")
    if not program or not ctl or QUICK:
        return ""
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        path = pathlib.Path(folder, "conf")
        path.write_text(SUPERVISORD.format(dir=folder, m=M))
        daemon = stack.enter_context(subprocess.Popen([program, "-c", path], stdout=writer, stderr=subprocess.DEVNULL))
        stack.callback(daemon.kill)

        def ask(seconds):
            """Seconds until it answers, None: not in that time."""
            begin = time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                if not subprocess.run([ctl, "-s", f"unix://{folder}/sock", "pid"], capture_output=True,
                                      timeout=seconds, check=False).returncode:
                    return time.monotonic() - begin
            return None

        child = until(lambda: ask(60) and proc_children(daemon.pid), "supervisord answers", 60)[0]
        pathlib.Path(folder, "go").write_text("")
        until(lambda: "pipe" in read_proc(child, "wchan").decode(), "its program waits for it", 60)
        answer = ask(20)
        os.kill(child, signal.SIGKILL)
    os.close(reader)
    os.close(writer)
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return f"supervisord {version}: " + (f"answers after {answer * 1000:.0f} ms" if answer else "no answer within 20 s") + " (here)"


def main():
    section = Section("Output that nobody takes", f"""
        {WORKERS} services print {BURST} lines every {PAUSE} ms for half of the time, another ends 50 times a second, and
        one is killed again and again, while standard output takes nothing. Control is the time until an answer
        comes, reaping the time from a kill to the news of it. Then output is read again where that is possible: each
        line that was printed is there or counted, by what is said in its place and by `musterctl status --json`.""")
    results = [shape() for shape in (pipe_full, terminal, stopped_reader, full, closed)]
    section.table(["stdout", "for", "lines", "came through", "dropped", "miscounted", "control p99, ms",
                   "reaping p99, ms"], rows)
    if bad:
        section.say("\n".join(f"- {line}" for line in bad))
    wrong = sum(result[0] for result in results)
    section.goal("lines neither seen nor counted, or counted twice", "0", wrong, wrong == 0 and not bad,
                 "dinit: lines lost are marked, not counted (published)")
    for i, what, other in ((1, "control", peer()), (2, "reaping", "")):
        worst = max(result[i] for result in results)
        section.goal(f"{what} while nobody reads, p99", f"&le; {GOAL} ms", f"{worst:.1f} ms", worst <= GOAL, other)
    lost = slow()
    section.goal("lines lost with a reader that is slow", "0", lost, lost == 0)
    section.finish()


try:
    main()
except Failure as failure:
    raise SystemExit(f"{failure}") from None
