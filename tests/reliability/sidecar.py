#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""However often the sidecar is killed or stopped, services and PID 1's own probes go on, and what is broken is never
called healthy for long."""
import contextlib
import http.client
import json
import os
import random
import re
import signal
import threading
import time

from report import QUICK, Section
from lib import Init, check, equal, free_port, tool, until

STRIKES = 6 if QUICK else int(os.environ.get("SIDECAR_STRIKES", "300"))
LONG_STOPS = 0 if QUICK else 2
PAUSE = 0.5 if QUICK else 2
PERIOD = 0.2 if QUICK else 1    # seconds between two probes of web
INTERVALS = 3             # that an answer may be old
OWN = 0.2                 # seconds between two probes by PID 1 itself
PATIENCE = 60
M = tool("misbehave")
PORT, WEB = free_port(), free_port()
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:{PORT}
[service:web]
command = {M} http {WEB} {{dir}}/status pid {{dir}}/pids forever
readiness_probe = http://127.0.0.1:{WEB}/
readiness_probe_period = {int(PERIOD * 1000)}ms
readiness_probe_timeout = 1s
readiness_probe_failure_threshold = 1
essential = no
[service:own]
command = {M} forever
readiness_probe = file:/
liveness_probe = exec:{M} append {{dir}}/looked x exit 0
liveness_probe_period = {int(OWN * 1000)}ms
liveness_probe_timeout = 20s
[service:user]
command = {M} forever
depends_on = web:started
"""
SERVICES = ("web", "own", "user")


class Asker(threading.Thread):
    """Asks how web is, again and again; keeps how long it was broken when somebody last said that it is well."""

    def __init__(self, ask, pause):
        super().__init__(daemon=True)
        self.ask, self.pause, self.over = ask, pause, threading.Event()
        self.broken_since, self.healed = None, 0
        self.answers = self.silences = 0
        self.stretch = 1.0  # of the intervals, at most
        self.stale = []  # of each time it was broken, how long it was still called healthy
        self.error = None
        self.start()

    def breaks(self):
        self.stale.append(0.0)
        self.broken_since = time.monotonic()

    def heals(self):
        self.broken_since = None

    def run(self):
        try:
            while not self.over.wait(self.pause):
                since = self.broken_since
                well = self.ask()
                if well is None:
                    self.silences += 1
                    continue
                self.answers += 1
                if self.answers % 20 == 0:
                    self.stretch = max(self.stretch, stretch())
                # it is the answer that counts, whenever the question was
                if well and since and since == self.broken_since:
                    self.stale[-1] = time.monotonic() - since
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        self.over.set()
        self.join(PATIENCE)
        check(not self.error, f"who asked: {self.error!r}")


def ask_http(path):
    """The answer of the sidecar (status, body); None: none within two seconds."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=2)) as connection:
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None


def serves():
    return ask_http("/livez") is not None


def stretch():
    """How many times as far apart as configured probes are at the moment."""
    found = re.search(rb"^muster_probe_stretch_ratio (\S+)", (ask_http("/metrics") or (0, b""))[1], re.M)
    return float(found[1]) if found else 1.0


def health():
    """What the sidecar says about web; None: nothing."""
    answer = ask_http("/health")
    checks = json.loads(answer[1])["checks"] if answer else {}
    return checks["web:state"][0]["status"] == "pass" if "web:state" in checks else None


class Weather(threading.Thread):
    """Breaks web and mends it, each for some intervals."""

    def __init__(self, init, askers):
        super().__init__(daemon=True)
        self.init, self.askers, self.over, self.times = init, askers, threading.Event(), 0
        self.start()

    def run(self):
        dice = random.Random(5)
        while not self.over.wait(PERIOD * dice.uniform(3, 12)):
            self.init.write("status", "503 Service Unavailable")
            for asker in self.askers:
                asker.breaks()
            self.times += 1
            self.over.wait(PERIOD * dice.uniform(6, 20))
            for asker in self.askers:
                asker.heals()
            self.init.write("status", "200 OK")

    def end(self):
        self.over.set()
        self.join(PATIENCE)


class Strikes:
    """On the sidecar, one after the other."""

    def __init__(self, init):
        self.init, self.back = init, []

    def pid(self):
        sidecar = self.init.services()["muster-sidecar"]
        return self.init.outside(sidecar["pid"]) if sidecar["pid"] else None

    def kill(self):
        os.kill(until(self.pid, "the sidecar runs", PATIENCE), signal.SIGKILL)
        begin = time.monotonic()
        until(serves, "the sidecar serves again", PATIENCE)
        self.back.append(time.monotonic() - begin)
        time.sleep(PAUSE / 2)

    def stop(self):
        pid = until(self.pid, "the sidecar runs", PATIENCE)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(PAUSE)
        os.kill(pid, signal.SIGCONT)
        until(serves, "the sidecar serves", PATIENCE)
        time.sleep(PAUSE / 2)

    def stop_for_good(self):
        """Nobody lets it go on: init ends it. Seconds until another serves."""
        pid = until(self.pid, "the sidecar runs", PATIENCE)
        begin = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        until(lambda: "the sidecar was not heard for" in self.init.ctl("health").stdout, "its silence is told", PATIENCE)
        until(serves, "another sidecar serves", PATIENCE)
        return time.monotonic() - begin


def strike(init, section):
    strikes, looked = Strikes(init), init.read("looked").count("x")
    by_http = Asker(health, 0.1)
    by_page = Asker(lambda: init.services()["web"]["state"] == "ready", 0.5)
    weather = Weather(init, [by_http, by_page])
    begin = time.monotonic()
    for number in range(STRIKES):
        (strikes.stop if number % 2 else strikes.kill)()
    took, looked = time.monotonic() - begin, init.read("looked").count("x") - looked
    weather.end()
    for asker in (by_http, by_page):
        asker.end()
    check(weather.times and by_http.answers and by_page.answers, "nothing was asked")
    section.say(f"{took:.0f} s; web broke {weather.times} times. /health gave {by_http.answers:,} answers, and none {by_http.silences:,} "
                f"times; musterctl {by_page.answers:,}. After a kill the next sidecar served within "
                f"{sorted(strikes.back)[len(strikes.back) // 2]:.1f} s (median) and {max(strikes.back):.1f} s (longest).")
    goals(section, by_http, by_page, max(strikes.back), looked / (took / OWN))
    if not QUICK:
        replaced = max(strikes.stop_for_good() for _ in range(LONG_STOPS))
        section.goal("stopped for good: another one serves after", "35 s and its backoff, 45 s", f"{replaced:.0f} s", replaced <= 45)


def goals(section, by_http, by_page, back, own):
    slack = 15 if QUICK else 0  # the short run is one among many tests
    stale, by_page = max(by_http.stale), max(by_page.stale)
    limit = INTERVALS * PERIOD * max(by_http.stretch, 1)
    section.goal("/health says that what broke is well, for at most",
                 f"{INTERVALS} intervals, stretched up to {by_http.stretch:.1f} times as the machine was busy: {limit:.1f} s",
                 f"{stale:.1f} s", stale <= limit + slack, "–")
    section.goal("musterctl says so, which reads what init knows, for at most", "backoff and intervals, 8 s", f"{by_page:.1f} s",
                 by_page <= 8 + slack)
    section.goal("after a kill it serves again after", "its backoff, 5.5 s at most, and 1.5 s", f"{back:.1f} s", back <= 7 + slack)
    section.goal("probes of PID 1 itself meanwhile, of those due", "90 %", f"{own * 100:.0f} %", QUICK or own >= 0.9)


def main():
    section = Section("The sidecar is killed and stopped", f"""
        {STRIKES} times, in turn, the sidecar is killed, and stopped for {PAUSE} s. A service that it probes every {PERIOD} s
        breaks and is mended at random moments; how it is is asked ten times a second at /health, and twice with musterctl.
        How long after it broke does somebody still hear that it is well?""")
    with Init(config=CONFIG) as init:
        init.write("status", "200 OK")
        for name in SERVICES:
            init.wait_state(name, "running", "ready", seconds=PATIENCE)
        until(serves, "the sidecar serves", PATIENCE)
        before = init.services()
        strike(init, section)
        after = init.services()
        touched = sum(after[name][key] != before[name][key] for name in SERVICES for key in ("pid", "starts", "restarts"))
        section.goal("services touched", "0", touched, touched == 0, "–")
        init.signal(signal.SIGTERM)
        equal(init.wait(PATIENCE), 0, "exit code")
    section.finish()


main()
