#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""While a service is restarted and the configuration reloaded, no connection to its socket is lost."""
import subprocess
import time

from report import QUICK, Section
from lib import Init, check, equal, free_port, tool, until
from sidecarlib import switches

RATE = 500 if QUICK else 2000
RESTARTS = 10 if QUICK else 100
RELOADS = 4 if QUICK else 20
KILLS = 3 if QUICK else 20
PAUSE = 0.02 if QUICK else 0.25  # from one disturbance to the next: the load is to be normal for a while
LISTENER = tool("listener")
PORT = free_port()
CONFIG = f"""
[service:web]
command       = {LISTENER}
listen        = tcp:127.0.0.1:{PORT}
restart_limit = unlimited
restart_backoff = 1ms..1ms
environment   = ROUND=%d
[service:other]
command = {tool('misbehave')} forever
"""


class Load:
    """Connections at a steady rate, until it is ended."""

    def __enter__(self):
        self.process = subprocess.Popen([tool("connector"), str(PORT), str(RATE)], stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def goes_on(self):
        """Waits until it has slept some more times, and so has made connections between."""
        before = switches(self.process.pid)
        until(lambda: switches(self.process.pid) > before + 20, "the load goes on")

    def end(self):
        self.process.terminate()
        names = "answered refused reset timed_out other answerers p50 p99 worst".split()
        result = dict(zip(names, map(int, self.process.communicate(timeout=120)[0].split())))
        equal(self.process.returncode, 0, "exit code of the load")
        return result


def pid_of(init):
    return init.services()["web"]["pid"]


def await_other(init, load, before):
    until(lambda: pid_of(init) not in (0, None, before), "web runs again")
    load.goes_on()
    time.sleep(PAUSE)


def restarts(init, load):
    """By musterctl: TERM, which lets the server end what it has begun."""
    for _ in range(RESTARTS):
        before = pid_of(init)
        equal(init.ctl("restart", "web").returncode, 0, "exit code of musterctl restart")
        await_other(init, load, before)


def reloads(init, load):
    """Each changes the service, which is therefore stopped and started by another plan."""
    for number in range(1, RELOADS + 1):
        before = pid_of(init)
        init.write("muster.ini", CONFIG % number)
        result = init.ctl("reload")
        equal(result.stdout, "restarted: web\n", f"what musterctl reload says ({result.stderr})")
        await_other(init, load, before)


def kills(init, load):
    """By SIGKILL: the connection that it has in hand at that moment is its own to lose."""
    for _ in range(KILLS):
        before = pid_of(init)
        equal(init.ctl("signal", "web", "KILL").returncode, 0, "exit code of musterctl signal")
        await_other(init, load, before)


section = Section("Held sockets", """
A service with `listen` is restarted, reloaded with a changed configuration, and killed, while clients connect to it at
a steady rate, send a line, and wait for the answer and the end of the connection. Init holds the socket, so whoever
comes while nobody serves waits in its queue.""")
rows = []
with Init(config=CONFIG % 0) as init:
    init.wait_state("web", "running")
    for what, disturb, times in (("musterctl restart", restarts, RESTARTS), ("musterctl reload", reloads, RELOADS),
                                 ("SIGKILL", kills, KILLS)):
        with Load() as load:
            load.goes_on()
            disturb(init, load)
            result = load.end()
        lost = {name: result[name] for name in ("refused", "reset", "timed_out", "other")}
        check(result["answered"] > 0 and result["answerers"] > 1, f"load that meets several servers: {result}")
        rows.append([f"{times} x {what}", result["answered"], *lost.values(), f"{result['p50'] / 1000:.2f}",
                     f"{result['p99'] / 1000:.1f}", f"{result['worst'] / 1000:.1f}"])
        if disturb is kills:
            section.goal("refused, timed out or failed otherwise, by SIGKILL", "0", sum(lost.values()) - lost["reset"],
                         sum(lost.values()) == lost["reset"])
            section.goal("reset, by SIGKILL", f"at most one a kill, {KILLS}", lost["reset"], lost["reset"] <= KILLS)
        else:
            section.goal(f"refused, reset, timed out or failed otherwise, by {what}", "0", sum(lost.values()),
                         sum(lost.values()) == 0, 'HAProxy: "not a single connection" (published)')
section.say(f"{RATE} connections a second; milliseconds from connect to the end:")
section.table(["", "answered", "refused", "reset", "timed out", "other", "median", "99 %", "worst"], rows)
section.finish()
