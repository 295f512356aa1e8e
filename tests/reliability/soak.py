#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hundred thousand restarts in a few minutes leave PID 1 and its sidecar as they were: memory, descriptors, timers.

SOAK_RESTARTS=1000000 makes it as much longer.
"""
import contextlib
import os
import pathlib
import random
import re
import signal
import statistics
import threading
import time
import urllib.request

from report import QUICK, Section
from lib import (EVENTS, PING, RELOAD, Init, check, equal, free_port, proc_children, proc_state, proc_status, read_proc, tool,
                 until)

RESTARTS = 2_000 if QUICK else int(os.environ.get("SOAK_RESTARTS", "100000"))
CALM = 0.8                # of the restarts: from then on the sidecar lives, so that it can be judged, too
SAMPLES = 40 if QUICK else 400
WARM = 0.1 if QUICK else 0.02  # of the restarts, before what is compared
WARM_SIDECAR = 0.2        # of its life
PATIENCE = 120
KEPT = 1 << 20            # bytes of output that init keeps: they are used once, whoever prints them
IDLE_SECONDS = 2 if QUICK else 60
M = tool("misbehave")
HTTP, PORT = free_port(), free_port()
# how they end: each kind of end that init has a path of its own for
ENDS = ["exit 0", "exit 1", "die KILL", "die TERM", "orphans 2 exit 3", "print line exit 0", "error line exit 4",
        "child [ exit 0 ] wait exit 0", "exec true", "crash"]
ENDING = """
[service:ends{i}]
command = {m} append {{dir}}/ends{i} x {words}
restart = always
restart_limit = unlimited
restart_backoff = 1ms..1ms
essential = no
environment = PLAN={plan}
log = {log}
"""
OTHERS = f"""
[sidecar]
listen = 127.0.0.1:{PORT}
[service:web]
command = {M} http {HTTP} {{dir}}/none forever
readiness_probe = http://127.0.0.1:{HTTP}/
readiness_probe_period = 50ms
liveness_probe = tcp://127.0.0.1:{HTTP}
liveness_probe_period = 50ms
restart_limit = unlimited
[service:looked-at]
command = {M} notify READY=1 forever
readiness_probe = notify
liveness_probe = exec:{M} exit 0
liveness_probe_period = 100ms
liveness_probe_timeout = 20s
startup_probe = file:/
[service:user]
command = {M} forever
depends_on = web, looked-at
[service:talker]
command = {M} lines {KEPT // 20} append {{dir}}/talked x forever
"""
STEADY = ("web", "looked-at", "user", "talker")


def config(plan):
    """Two plans, turn by turn: one service has another environment, one comes and goes."""
    ending = [ENDING.format(i=i, m=M, words=words, plan=plan if i == 0 else 0, log=("prefix", "json")[i % 2])
              for i, words in enumerate(ENDS)]
    return OTHERS + "".join(ending) + (f"[service:guest]\ncommand = {M} forever\nessential = no\n" if plan else "")


# ---- what is looked at ----


def memory(pid, key):
    found = re.search(rb"^%s:\s+(\d+)" % key, read_proc(pid, "smaps_rollup"), re.M)
    return int(found[1]) if found else 0


def timers(pid):
    """Of its descriptors, and those of timer_create."""
    count = read_proc(pid, "timers").count(b"ID:")
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            count += "timerfd" in os.readlink(fd)
    return count


FIGURES = {
    "resident, kB": lambda pid: memory(pid, b"Rss"),
    "of it dirty, kB": lambda pid: memory(pid, b"Private_Dirty"),
    "address space, kB": lambda pid: int(proc_status(pid)["VmSize"].split()[0]),
    "descriptors": lambda pid: len(os.listdir(f"/proc/{pid}/fd")),
    "threads": lambda pid: int(proc_status(pid)["Threads"]),
    "timers": timers,
}


def ticks(pid):
    """Processor time, in hundredths of a second."""
    return sum(map(int, read_proc(pid, "stat").rpartition(b")")[2].split()[11:13]))


class Samples:
    """Figures of a process in the course of restarts."""

    def __init__(self):
        self.rows = []

    def take(self, pid, restarts):
        self.rows.append((restarts, {name: look(pid) for name, look in FIGURES.items()}))

    def quarter(self, number, begin, end):
        """The mean of each figure in that quarter of what lies between."""
        low, high = (begin + (end - begin) * part / 4 for part in (number, number + 1))
        chosen = [figures for restarts, figures in self.rows if low <= restarts <= high]
        if QUICK and not chosen:  # who takes them may have stood still for so long
            chosen = [min(self.rows, key=lambda row: abs(row[0] - (low + high) / 2))[1]]
        check(chosen, f"samples from {low:.0f} to {high:.0f} restarts")
        return {name: sum(row[name] for row in chosen) / len(chosen) for name in FIGURES}


# ---- what goes on meanwhile ----


class Meanwhile(threading.Thread):
    """Something that is done again and again, at random times, until it is ended; `done` counts."""

    everybody = []

    def __init__(self, what, pause, act):
        super().__init__(daemon=True)
        self.what, self.pause, self.act = what, pause, act
        self.done, self.over, self.error = 0, threading.Event(), None
        self.everybody.append(self)
        self.start()

    def run(self):
        dice = random.Random(self.what)
        try:
            while not self.over.wait(self.pause * (0.5 + dice.random())):
                self.act(self.done)
                self.done += 1
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        self.over.set()
        self.join(PATIENCE)
        check(not self.error, f"{self.what}: {self.error!r}")


def reload(init):
    def act(done):
        init.write("muster.ini", init.fill(config((done + 1) % 2)))
        with init.control() as control:
            control.ask(RELOAD)

    return act


def kill_sidecar(init, killed):
    def act(_):
        pid = init.services()["muster-sidecar"]["pid"]
        if pid:
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.kill(init.outside(pid), signal.SIGKILL)
                killed.append(pid)

    return act


def clients(init):
    """Who asks, who follows and goes, who says nothing and goes."""
    def act(done):
        equal(init.ctl("status", seconds=PATIENCE).returncode in (0, 1), True, "musterctl status")
        with init.control() as control:
            if done % 3:
                control.send(EVENTS)
                control.receive()
        init.ctl("logs", "-n", "5", seconds=PATIENCE)

    return act


def browsers(paths):
    """Who asks the sidecar, if it is there."""
    def act(done):
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{paths[done % len(paths)]}", timeout=PATIENCE) as answer:
                answer.read()

    return act


# ---- the run ----


def appended(init):
    """What the services wrote themselves: a line for each start."""
    return sum(os.path.getsize(path) // 2 for path in init.dir.glob("ends*"))


def sidecar_pid(init, killed):
    """None, too, while init has not taken notice yet of the end of the one that was killed last."""
    pid = init.services()["muster-sidecar"]["pid"]
    return init.outside(pid) if pid and pid not in killed[-1:] else None


class Run:
    """The restarts, and what is seen of init and of the sidecar that lives until their end."""

    def __init__(self, init):
        self.init, self.ours, self.sidecars = init, Samples(), Samples()
        self.zombies, self.answers = 0, []
        self.killed = []
        self.killer = Meanwhile("the sidecar killed", 2, kill_sidecar(init, self.killed))
        Meanwhile("reloads", 1, reload(init))
        Meanwhile("rounds at the control socket", 0.2, clients(init))
        Meanwhile("requests to the sidecar", 0.05, browsers(["/status", "/metrics", "/health", "/readyz?verbose", "/"]))

    def look(self, count, sidecar):
        self.ours.take(self.init.pid, count)
        if sidecar:
            self.sidecars.take(sidecar, count)
        self.zombies = max(self.zombies, sum(proc_state(pid) == "Z" for pid in proc_children(self.init.pid)))
        begin = time.monotonic()
        with self.init.control() as control:
            control.ask(PING)
        self.answers.append(time.monotonic() - begin)

    def restarts(self):
        """How many there were."""
        begin, last, sidecar = time.monotonic(), 0, None
        while (count := appended(self.init)) < RESTARTS:
            check(self.init.running(), "init has ended")
            check(time.monotonic() - begin < PATIENCE + RESTARTS / 20, lambda: f"only {count} restarts")
            if count - last < RESTARTS / SAMPLES:
                time.sleep(0.005)
                continue
            last = count
            if count > CALM * RESTARTS and not sidecar:
                self.killer.end()
                sidecar = until(lambda: sidecar_pid(self.init, self.killed), "the sidecar is back", PATIENCE)
            self.look(count, sidecar)
        self.look(count, sidecar)
        return count

    def tell(self, section):
        begin, begin_ticks = time.monotonic(), ticks(self.init.pid)
        count = self.restarts()
        took, used = time.monotonic() - begin, ticks(self.init.pid) - begin_ticks
        for each in Meanwhile.everybody:
            each.end()
        section.say(f"{count:,} restarts in {took:.0f} s; meanwhile "
                    + ", ".join(f"{each.what}: {each.done:,}" for each in Meanwhile.everybody)
                    + f". Processor time of PID 1: {used / 100:.1f} s. At most {self.zombies} dead processes waited for it "
                    f"at one time; its answers took {statistics.median(self.answers) * 1000:.1f} ms (median).")
        return count


def compare(section, samples, begin, end, who, limit):
    """A table of quarters, and the goal for the figure that grew most."""
    quarters = [samples.quarter(number, begin, end) for number in range(4)]
    growth = {name: (quarters[3][name] - quarters[0][name]) / max(quarters[0][name], 1) * 100 for name in FIGURES}
    section.table([f"{who}: mean of", "1st quarter", "2nd", "3rd", "4th", "growth"],
                  [[name, *(f"{quarter[name]:.1f}" for quarter in quarters), f"{growth[name]:+.2f} %"] for name in growth])
    most = max(growth, key=growth.get)
    return [f"{who}: growth from the first quarter to the last", f"at most {limit} %", f"{growth[most]:+.2f} % ({most})",
            growth[most] <= limit]


def account(init, section, before):
    """All is stopped but what was there; each start is counted, and nothing is left."""
    names = [f"ends{i}" for i in range(len(ENDS))]
    for name in [*names, "user", "looked-at"]:
        equal(init.ctl("stop", name, seconds=PATIENCE).returncode, 0, f"exit code of musterctl stop {name}")
        init.wait_state(name, "inactive", "failed", "completed", seconds=PATIENCE)
    init.no_zombies(PATIENCE)
    services = init.services()
    # the last start of each may have been stopped before it wrote; ends0 is another service after each reload
    wrong = [name for name in names[1:] if services[name]["starts"] - init.read(name).count("x") not in (0, 1)]
    least = min(init.read(name).count("x") for name in names)
    section.goal("services whose starts are not as many as it counts", "0", len(wrong), not wrong)
    section.goal("services that were not started again at some time", "0", int(least < RESTARTS / len(names) / 4),
                 least >= RESTARTS / len(names) / 4)
    touched = [name for name in STEADY if services[name]["starts"] != 1 or name == "web" and services[name]["pid"] != before[name]]
    section.goal("other services touched", "0", len(touched), not touched)


def rest(init, section):
    """Afterwards it does nothing: services are probed by the sidecar, which tells init only that it is there."""
    until(lambda: init.services()["muster-sidecar"]["state"] in ("running", "ready"), "the sidecar is there", PATIENCE)
    for _ in range(5 if QUICK else 1):  # the sidecar may only just have been started
        begin, begin_switches = ticks(init.pid), int(proc_status(init.pid)["voluntary_ctxt_switches"])
        time.sleep(IDLE_SECONDS)
        used = ticks(init.pid) - begin
        switches = int(proc_status(init.pid)["voluntary_ctxt_switches"]) - begin_switches
        if used == 0:
            break
    section.goal(f"processor time of PID 1 in the {IDLE_SECONDS} s after it", "0 ticks", f"{used} ticks, {switches} wake-ups", used == 0,
                 "s6, dinit: 0 wake-ups; tini, supervisord: 60 a minute (once)")


def main():
    section = Section("A hundred thousand restarts", f"""
        {len(ENDS)} services end as soon as they run, in {len(ENDS)} ways, and are started again 1 ms later. Meanwhile one
        service is probed over HTTP and TCP 20 times a second each, one by programs, the configuration is reloaded with a
        change every second, the sidecar is killed every other second (in the last fifth it lives), and clients come and
        go at the control socket and at the HTTP port.""")
    with open(os.devnull, "wb") as nowhere, Init(config=config(0), stdout=nowhere) as init:
        for name in STEADY:
            init.wait_state(name, "running", "ready", seconds=PATIENCE)
        init.wait_file("talked", PATIENCE)
        before = {name: init.services()[name]["pid"] for name in STEADY}
        run = Run(init)
        count = run.tell(section)
        goals = [compare(section, run.ours, WARM * count, count, "PID 1", 25 if QUICK else 1)]
        if not QUICK:
            begin = run.sidecars.rows[0][0]
            goals.append(compare(section, run.sidecars, begin + (count - begin) * WARM_SIDECAR, count, "the sidecar", 5))
        account(init, section, before)
        rest(init, section)
        init.signal(signal.SIGTERM)
        equal(init.wait(PATIENCE), 0, "exit code")
    for goal in goals:
        section.goal(*goal, peer="s6: no supervisor has died in 14 years (published); no figure for memory")
    section.finish()


main()
