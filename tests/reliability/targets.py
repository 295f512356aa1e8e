#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Targets and name servers that are hostile: is the verdict right, does it name the phase, is it in time?"""
import contextlib
import os
import sys
import time

from report import QUICK, Section
from lib import check
from sidecarlib import Page, Sidecar, Target, in_network_namespace, own_memory
from sidecarlib import faults, hostile

ROUNDS = 2 if QUICK else 5
SLACK_MS = 5000 if QUICK else 100  # a machine that runs tests is busy with more than this


class Figures:
    def __init__(self, timeout):
        self.timeout = timeout
        self.asked = self.wrong = 0
        self.late = []    # ms behind the timeout, of those that took that long
        self.longest = 0  # ms in all

    def take(self, right, ms, what):
        self.asked += 1
        self.longest = max(self.longest, ms)
        if ms >= self.timeout:
            self.late.append(ms - self.timeout)
        if not right:
            self.wrong += 1
            print(f"wrong: {what}", file=sys.stderr)


def probe(sidecar, url, timeout):
    """Whether it succeeded, the reason, the phase, and how long it took until it was told."""
    begin = time.monotonic()
    serial = sidecar.watch(0, url, period=600000, timeout=timeout)
    result = sidecar.wait_result(lambda one: one["serial"] == serial, url)
    ms = (time.monotonic() - begin) * 1000
    phase = hostile.first_failure(sidecar.get("/status").json()["services"][0]["probe"])[1]
    sidecar.drop(0, serial)
    return result["ok"], result["reason"], phase, ms


def run_targets(sidecar, modes):
    figures = Figures(hostile.TIMEOUT)
    for mode in modes:
        ok, reason, phase, ms = probe(sidecar, mode.url, hostile.TIMEOUT)
        figures.take(mode.judges(ok, reason, phase), ms, f"{mode}: {ok}, {reason}, {phase}")
    return figures


def run_names(sidecar, port):
    figures = Figures(faults.TIMEOUT)
    for name, wanted in faults.VERDICTS.items():
        ok, reason, phase, ms = probe(sidecar, f"tcp://{name}:{port}", faults.TIMEOUT)
        right = ok == (wanted == "") and wanted in (None, reason) and phase == (None if ok else "resolve")
        figures.take(right, ms, f"{name}: {ok}, {reason}, {phase}")
    return figures


def add(section, rows, what, rounds):
    late = sorted(ms for figures in rounds for ms in figures.late)
    wrong, asked = sum(figures.wrong for figures in rounds), sum(figures.asked for figures in rounds)
    rows.append([what, rounds[0].asked, len(rounds), wrong, len(late), f"{late[len(late) // 2]:.1f}", f"{late[-1]:.1f}"])
    section.goal(f"{what}: verdicts and phases that are right", "100 %", f"{100 * (asked - wrong) / asked:.4g} %", wrong == 0)
    section.goal(f"{what}: the latest behind its timeout", f"{SLACK_MS} ms", f"{late[-1]:.1f} ms", late[-1] <= SLACK_MS,
                 "curl: 4 to 19 s behind 1 s (published, its issue 21797)" if what == "names" else "–")


def main():
    directory = in_network_namespace()
    section = Section("Hostile targets", """
A probe of each of the services of `tests/run/sidecarlib/hostile.py` (well, slow, endless, cut short, resetting, leading
elsewhere, in another protocol, with a certificate that is none, at an address of metadata in many spellings ...) and
of each name of `tests/run/sidecarlib/faults.py` (NXDOMAIN, SERVFAIL, silence, loops, 4,000 addresses, answers of
strangers ...), one after the other. The time is from the order to the result, both over the channel to init.""")
    (directory / "resolv.conf").write_text(faults.RESOLV_CONF)
    names = faults.Faults()
    rows = []
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(hostile.Hostile())
        port = stack.enter_context(Target()).port
        sidecar = stack.enter_context(Sidecar(env=here.env))
        Page(sidecar.run_dir, [{"name": "web"}])
        targets, lookups, memory = [], [], []
        for _ in range(ROUNDS):
            names.turn = 0
            targets.append(run_targets(sidecar, here.modes))
            lookups.append(run_names(sidecar, port))
            memory.append(own_memory(sidecar.pid))
        grown = memory[-1] - memory[0]
        check(sidecar.process.poll() is None, "the sidecar has ended")
        add(section, rows, "targets", targets)
        add(section, rows, "names", lookups)
        section.goal("memory from the end of the first round to that of the last", "+1 MiB at most", f"{grown:+} kB",
                     grown <= 1024 or "ASAN_OPTIONS" in os.environ)
    section.say(f"Timeouts of {hostile.TIMEOUT} ms; milliseconds behind it, of the probes that took so long:")
    section.table(["", "modes", "rounds", "wrong", "timed out", "median", "worst"], rows)
    section.finish()


main()
