#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever clocks do, muster-init's intervals stay what they are: no storm of restarts or probes."""
import contextlib
import os
import pathlib
import signal
import time

from report import QUICK, Section
from lib import IS_ROOT, Failure, Init, check, equal, need, tool, until

M = tool("misbehave")
PROBE, BACKOFF = 0.25, 0.2  # seconds
WATCHED = 1.5 if QUICK else 4
STOPPED = 3 if QUICK else 60
MOST = 1.5  # times what is due, and two
CONFIG = f"""
[service:web]
command = {M} pid {{dir}}/up forever
liveness_probe = exec:{M} append {{dir}}/probes x
liveness_probe_period = {int(PROBE * 1000)}ms
stop_grace_period = 300ms
[service:crashing]
command = {M} append {{dir}}/starts x exit 1
restart_backoff = {int(BACKOFF * 1000)}ms..{int(BACKOFF * 1000)}ms
restart_limit = unlimited
essential = no
"""
LIBRARIES = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
JUMPS = {"a year ahead": "+365d", "a year back": "-365d", "to 1970": "@1970-01-02 00:00:00",
         "beyond 2038": "@2039-01-01 00:00:00", "an hour back": "-3600"}
rows, bad = [], []


def lines(init, name):
    return init.read(name).count("\n")


def count(init, seconds):
    """How many probes and starts come in the next seconds, and how many would have been due."""
    begin, probes, starts = time.monotonic(), lines(init, "probes"), lines(init, "starts")
    time.sleep(seconds)  # the time itself is what is watched
    with contextlib.suppress(Failure):  # a machine may stand still for as long
        until(lambda: lines(init, "probes") > probes and lines(init, "starts") > starts, "they go on")
    found = lines(init, "probes") - probes, lines(init, "starts") - starts
    took = time.monotonic() - begin
    return found[0], took / PROBE, found[1], took / BACKOFF


def watch(init, what):
    """A row of the table; a storm, or nothing at all, is bad."""
    probes, probes_due, starts, starts_due = count(init, WATCHED)
    rows.append([what, f"{probes} of {probes_due:.0f}", f"{starts} of {starts_due:.0f}"])
    for name, found, due in (("probes", probes, probes_due), ("starts", starts, starts_due)):
        if not 0 < found <= due * MOST + 2:
            bad.append(f"{what}: {found} {name}, where {due:.0f} were due")


def begin(init):
    init.wait_file("up")
    until(lambda: lines(init, "probes") > 1 and lines(init, "starts") > 1, "probes and starts")


def finish(init):
    """It was not harmed, and stops as ever."""
    service = init.services()["web"]
    equal((service["state"], service["restarts"]), ("running", 0), "web")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")


def show_jumps():
    """CLOCK_REALTIME jumps while it runs; only init and what it starts see it (libfaketime)."""
    env = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": "{dir}/clock", "FAKETIME_NO_CACHE": "1",
           "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}
    init = Init(config=CONFIG)
    init.env |= {name: init.fill(value) for name, value in env.items()}
    init.write("clock", "+0")
    with init:
        begin(init)
        for what, clock in JUMPS.items():
            init.write("clock", clock)
            watch(init, f"the time of day jumps {what}" if "19" not in what else f"the time of day is set {what}")
        init.env.pop("LD_PRELOAD")
        finish(init)


def show_stop():
    """All of it is stopped, as a machine that is suspended, and goes on."""
    with Init(config=CONFIG) as init:
        begin(init)
        stopped = sorted(init.pids())
        for pid in [init.pid, *stopped]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(STOPPED)
        for pid in [*stopped, init.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        watch(init, f"all processes stopped for {STOPPED} s")
        finish(init)


def show_offset(what, seconds):
    """CLOCK_MONOTONIC begins far from 0 (a time namespace)."""
    prefix = ["unshare", "--time", "--fork", "--kill-child", "--monotonic", str(seconds)]
    with Init(config=CONFIG, pid1=False, prefix=prefix) as init:
        begin(init)
        init.pid = until(lambda: [pid for pid in init.pids() if pid != init.process.pid and b"-c" in command_of(pid)],
                         "muster-init is there")[0]
        watch(init, what)
        finish(init)
    with Init("--grace", "300ms", "--", M, "orphan", "[", "ignore", "TERM", "setsid", "pid", "{dir}/orphan", "forever", "]",
              "await", "{dir}/orphan", "exit", "5", pid1=False, prefix=prefix) as init:
        began = time.monotonic()
        equal(init.wait(), 5, f"exit code with {what}")
        check(0.3 <= time.monotonic() - began < 20, f"grace with {what}")


def command_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def main():
    section = Section("Clocks", f"""
        A service is probed every {PROBE:g} s, another ends and is started again {BACKOFF:g} s later. Counted is
        what happens in the {WATCHED:g} s after a clock has done something odd, beside what is due in that time: no
        storm to make up for what was missed, and nothing that waits for a time that has gone.""")
    with Init(config=CONFIG) as init:
        begin(init)
        watch(init, "nothing odd")
        finish(init)
    if LIBRARIES:
        show_jumps()
    else:
        section.say("Without libfaketime (Debian package faketime) the time of day was not changed.")
    show_stop()
    if IS_ROOT:
        need("unshare")
        show_offset("CLOCK_MONOTONIC at 2^31 s", 2**31)
        show_offset("CLOCK_MONOTONIC at 2^32 ms", 2**32 // 1000)
        if not QUICK:
            show_offset("CLOCK_MONOTONIC at 2^32 s", 2**32)
    section.table(["", "probes, of those due", "starts, of those due"], rows)
    if bad:
        section.say("\n".join(f"- {line}" for line in bad))
    section.goal("storms, and timers that never fire", "0", len(bad), not bad,
                 "supervisord: ended by a step of the clock (published, its issue 281)")
    section.finish()


try:
    main()
except Failure as failure:
    raise SystemExit(f"{failure}") from None
