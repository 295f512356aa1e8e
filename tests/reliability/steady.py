#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whichever system call PID 1 makes while all runs, or while it ends, fails once or for a time: it is there afterwards,
and so are its services."""
import collections
import concurrent.futures
import contextlib
import io
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from report import QUICK, Section
from lib import Failure, Init, check, proc_children, read_proc, tool, until
from faultlib import Fault
from syscalls import CANNOT_FAIL, ERRORS, STOP, answers

M = tool("misbehave")
FAULT = int(os.environ.get("FAULT_SECONDS", "1" if QUICK else "10"))  # so long a call goes on failing
ROOM = 10 if QUICK else 1       # seconds until all is as before; one step of backoff is 0.1 s
LASTING = int(os.environ.get("LASTING", "9"))  # with so many of the errors a call fails for long
NUMBERS = tuple(range(1, int(os.environ.get("NUMBERS", "1" if QUICK else "3")) + 1))  # which of a call's occurrences fails once
HOW_OFTEN = {1: "the first time that it comes", 2: "each of the first two times", 3: "each of the first three times"}
FOR_LONG = f"{LASTING} of these errors, other ones from call to call," if LASTING < len(ERRORS) else "each of them"
PATIENCE = 30
OFTEN = 2000  # as often it makes some calls anyhow, looking through /proc; a call made without a pause comes 10,000 times and more
INSTANCES = 2 * len(os.sched_getaffinity(0)) * (1 if QUICK else 3)  # at a time; most of the time they wait
AT_ONCE = int(os.environ.get("AT_ONCE", "1"))  # programs

CONFIG = f"""
[muster]
stop_timeout = {STOP}s
[service:db]
command = {M} notify READY=1 times 1000000 [ notify STATUS=busy print tick sleep 40 ] forever
readiness_probe = notify
restart_backoff = 10ms..100ms
restart_limit = unlimited
stop_grace_period = 500ms
start_retries = 1000
[service:queue]
command = {M} times 1000000 [ print tick error tock orphan [ exit 0 ] sleep 60 ] forever
log = file:{{dir}}/queue.log
restart_backoff = 10ms..100ms
restart_limit = unlimited
stop_grace_period = 500ms
depends_on = db
[service:web]
command = {M} times 1000000 [ print tick sleep 50 ] forever
log = json
listen = unix:{{dir}}/sockets/web
readiness_probe = exec:{M} exit 0
liveness_probe = exec:{M} exit 0
liveness_probe_period = 50ms
restart_backoff = 10ms..100ms
restart_limit = unlimited
stop_grace_period = 500ms
start_retries = 1000
[service:short]
command = {M} sleep 50 exit 1
essential = no
restart = always
restart_backoff = 10ms..100ms
restart_limit = unlimited
stop_grace_period = 500ms
[service:lazy]
command = {tool("listener")}
listen = unix:{{dir}}/sockets/lazy
start = on-demand
idle_stop = 100ms
restart_backoff = 10ms..100ms
restart_limit = unlimited
stop_grace_period = 500ms
"""
RUNNING = ("db", "queue", "web")  # what has to run


def last_words(init):
    return "\n".join([line for line in init.stderr.splitlines() if "short: exited" not in line][-4:])


def end(init):
    """Without a word; who looks at what is left behind does so before."""
    with contextlib.suppress(Failure), contextlib.redirect_stderr(io.StringIO()):
        init.__exit__(None, None, None)


class Supervise:
    """A running muster-init with services, of which one ends again and again."""
    name = "supervise"
    program = None
    code = 0
    room = ROOM

    def __init__(self, pid1):
        self.pid1 = pid1
        self.init = Init(config=CONFIG, pid1=pid1)
        self.init.__enter__()
        until(self.is_well, "all run", PATIENCE)

    def pid(self):
        return self.init.pid

    def close(self):
        end(self.init)

    def is_alive(self):
        return self.init.running()

    def starts(self):
        return self.init.services()["short"]["starts"]

    def act(self, turn):
        """What happens in a life: services end, somebody asks, commands, connects."""
        with contextlib.suppress(Failure, OSError, ValueError, subprocess.TimeoutExpired):
            for pid in proc_children(self.init.pid)[turn % 2::3]:
                if M.encode() in read_proc(pid, "cmdline") and b"notify" in read_proc(pid, "cmdline"):
                    os.kill(pid, signal.SIGKILL)
            with self.init.control() as control:
                control.socket.settimeout(0.3)
                control.ask(1)
                control.ask_service(4, "web")
            self.init.signal((signal.SIGUSR1, signal.SIGHUP)[turn % 2])
        answers(self.init.path("sockets/lazy"))

    def is_well(self):
        """All run, the one that ends is started again, requests and connections are answered."""
        with contextlib.suppress(Failure, OSError, ValueError, KeyError, subprocess.TimeoutExpired):
            with self.init.control() as control:
                control.socket.settimeout(1)
                if control.ask(1)[0] != 64:
                    return False
            services = self.init.services()
            before = services["short"]["starts"]
            if not all(services[name]["state"] in ("running", "ready") for name in RUNNING):
                return False
            return until(lambda: self.starts() > before, "it ends and is started", 1) and \
                answers(self.init.path("sockets/lazy"))
        return False

    def end(self):
        self.init.signal(signal.SIGTERM)


class Wrap:
    """A running muster-init with a program that gets signals and leaves orphans behind."""
    name = "wrap"
    code = 5
    room = ROOM
    before = ("--grace", "100ms", "--")
    program = None

    def __init__(self, pid1):
        self.pid1 = pid1
        self.init = Init(*self.before, M, "on", "USR1", "[", "append", "{dir}/usr1", "x", "]", "on", "TERM",
                         "[", "exit", 5, "]", "orphan", "[", "ignore", "TERM", "setsid", "forever", "]", "pid",
                         "{dir}/up", "times", 1000000, "[", "orphan", "[", "exit", 0, "]", "sleep", 40, "]", pid1=pid1,
                         program=self.program)
        self.init.__enter__()
        self.init.wait_file("up")

    def pid(self):
        return self.init.pid

    def close(self):
        end(self.init)

    def is_alive(self):
        return self.init.running()

    def act(self, _):
        with contextlib.suppress(ProcessLookupError):
            self.init.signal(signal.SIGUSR1)

    def is_well(self):
        """A signal arrives, and the dead are reaped."""
        before = len(self.init.read("usr1"))
        with contextlib.suppress(Failure, ProcessLookupError):
            self.init.signal(signal.SIGUSR1)
            until(lambda: len(self.init.read("usr1")) > before, "USR1 arrives", 1)
            dead = set(self.init.zombies())
            until(lambda: not dead & set(self.init.zombies()), "they are reaped", 1)
            return True
        return False

    def end(self):
        self.init.signal(signal.SIGTERM)


class Supervisor(Wrap):
    """Another supervisor, whose service leaves an orphan behind, ends, and is to be started again."""
    room = 4  # seconds until all is as before; s6 waits for one before each start

    def __init__(self, pid1):
        self.pid1 = pid1
        self.init = Init(*self.words, pid1=pid1, program=self.program)
        for name, text in self.files.items():
            self.init.write(name, self.init.fill(text), 0o755)
        self.init.__enter__()
        until(self.is_well, "it runs", PATIENCE)

    def act(self, turn):
        time.sleep(0.1)

    def is_well(self):
        before = len(self.init.read("starts"))
        with contextlib.suppress(Failure):
            dead = set(self.init.zombies())
            until(lambda: len(self.init.read("starts")) > before, "its service is started again", self.room)
            until(lambda: not dead & set(self.init.zombies()), "the dead are reaped", 1)
            return True
        return False


SERVICE = f"{M} append {{dir}}/starts x orphan [ exit 0 ] sleep 50 exit 1"
SUPERVISORS = {
    "dinit": (("-o", "-q", "-d", "{dir}/dinit", "-p", "{dir}/ctl", "boot"), {
        "dinit/boot": "type = internal\nwaits-for = short\n",
        "dinit/short": f"type = process\ncommand = {SERVICE}\nrestart = true\nrestart-delay = 0.1\nrestart-limit-count = 0\n"}),
    "s6-svscan": (("{dir}/scan",), {"scan/short/run": f"#!/bin/sh\nexec {SERVICE}\n"}),
    "supervisord": (("-c", "{dir}/supervisord.conf"), {
        "supervisord.conf": "[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={dir}/pid\n"
                            f"[program:short]\ncommand={SERVICE}\nautorestart=true\nstartsecs=0\n"
                            "stdout_logfile=NONE\nstderr_logfile=NONE\n"}),
}


def peers():
    """The same with other programs of the kind, those that there are; DINIT=path names one that Debian has not."""
    for name, (words, files) in SUPERVISORS.items():
        path = shutil.which(os.environ.get(name.upper(), name))
        if path:
            yield type(name, (Supervisor,), {"name": name, "words": words, "files": files, "program": path})
    for name, options in (("tini", ("--",)), ("dumb-init", ("--",)), ("catatonit", ("--",))):
        path = shutil.which(name)
        if path:
            yield type(name, (Wrap,), {"name": name, "before": options, "program": path})


def calls_of(text):
    """The calls in a trace that can fail, the frequent first."""
    found = collections.Counter(line.split("(")[0] for line in text.splitlines())
    return [call for call, _ in found.most_common() if re.fullmatch(r"[a-z0-9_]+", call) and call not in CANNOT_FAIL]


class Row:
    def __init__(self, what, pid1=True):
        self.what, self.pid1 = what, pid1
        self.faults = self.missed = self.calls = self.worst = 0
        self.bad = []
        self.late = collections.Counter()
        self.rates = collections.Counter()  # failures a second, at most, by call

    def add(self, other):
        self.faults += other.faults
        self.missed += other.missed
        self.worst = max(self.worst, other.worst)
        self.bad += other.bad
        self.late += other.late
        self.rates |= other.rates


# ---- while all runs ----


def discover(mode, pid1):
    """What it calls while all runs: (call, how often)."""
    one = mode(pid1)
    try:
        with Fault(one.init) as fault:
            for turn in range(6):
                one.act(turn)
                time.sleep(0.3)
        check(until(one.is_well, "all is well", PATIENCE), "")
        return calls_of(fault.text)
    finally:
        one.close()


def one_fault(one, call, error, when, seconds):
    """One fault in a running init: (how often it failed, seconds until all was well again or None, why); without the
    time that such a look took just before."""
    begin = time.monotonic()
    with contextlib.suppress(Failure):
        until(one.is_well, "all is well", PATIENCE)
    usual = time.monotonic() - begin
    with Fault(one.init, call, error, when) as fault:
        end = time.monotonic() + seconds
        for turn in itertools.count():
            one.act(turn)
            left = end - time.monotonic()
            if left < 0 and (seconds >= FAULT or turn > 1):
                break
            time.sleep(max(0.05, min(0.3, left)))
    begin = time.monotonic()
    if fault.crashed():
        return fault.hits(), None, "a fault"
    try:
        until(lambda: one.is_well() or not one.is_alive(), "all is well", PATIENCE)
    except Failure:
        return fault.hits(), None, f"not well after {PATIENCE} s: {last_words(one.init)!r}"
    if not one.is_alive():
        return fault.hits(), None, f"it has ended with {one.init.wait()}: {last_words(one.init)!r}"
    return fault.hits(), max(0, time.monotonic() - begin - usual), ""


def work(mode, pid1, jobs, row, lock):
    """Takes jobs while there are any; one init serves many."""
    one = None
    mine = Row(row.what)
    try:
        while True:
            with lock:
                if not jobs:
                    break
                call, error, when, seconds = jobs.pop()
            one = one or mode(pid1)
            for _ in range(3):
                hits, well, why = one_fault(one, call, error, when, seconds)
                if well is None or well <= mode.room + 0.5:
                    break  # else the machine may have been busy: once more
            if not hits:
                mine.missed += 1
            else:
                mine.faults += 1
                mine.worst = max(mine.worst, well or 0)
                mine.rates[call] = max(mine.rates[call], int(hits / seconds) if seconds else 0)
            if well is None or well > mode.room + 0.5:
                mine.bad.append(f"{row.what}: {call}, {error}, {f'for {seconds} s' if seconds else f'number {when}'}: "
                                f"{why or f'well only after {well:.1f} s'}")
                print(mine.bad[-1], file=sys.stderr, flush=True)
                one.close()
                one = None
    finally:
        if one:
            one.close()
    with lock:
        row.add(mine)


def lasting(calls, pid1):
    """(call, error): of each call so many errors, not the same of all. A close that is made to fail closes nothing, as
    no kernel's does: after some seconds of that there is no descriptor left."""
    return [(call, ERRORS[(i + j + 4 * pid1) % len(ERRORS)]) for i, call in enumerate(calls) for j in range(LASTING)
            if call != "close"]


def steady(mode, pid1):
    rows = []
    calls = discover(mode, pid1)
    for what, jobs in (("once", [(call, error, str(number), 0) for call in calls for error in ERRORS for number in NUMBERS]),
                       (f"for {FAULT} s", [(call, error, "1+", FAULT) for call, error in lasting(calls, pid1)])):
        if QUICK:
            jobs = jobs[::11 if mode is Supervise else 5]
        row = Row(f"{mode.name}, {'PID 1' if pid1 else 'subreaper'}, {what}", pid1)
        row.calls = len(calls)
        lock = threading.Lock()
        with concurrent.futures.ThreadPoolExecutor(INSTANCES) as pool:
            for done in [pool.submit(work, mode, pid1, jobs, row, lock) for _ in range(min(INSTANCES, len(jobs)))]:
                done.result()
        rows.append(row)
    return rows


# ---- shutdown ----


def shutdown_calls(mode, pid1):
    one = mode(pid1)
    try:
        with Fault(one.init) as fault:
            one.end()
            until(lambda: not one.is_alive(), "the end", PATIENCE)
        if mode.program:
            mode.code = one.init.wait()  # whatever its own is
        return calls_of(fault.text)
    finally:
        one.close()


def one_shutdown(mode, pid1, call, error, when):
    """(how often it failed, why it is bad or "", whether it had to wait for the fault's end)"""
    one = mode(pid1)
    ended = True
    try:
        with Fault(one.init, call, error, when) as fault:
            begin = time.monotonic()
            with contextlib.suppress(ProcessLookupError):  # it may have ended of the fault
                one.end()
            with contextlib.suppress(Failure):
                until(lambda: not one.is_alive(), "the end", max(FAULT, STOP + (5 if QUICK else 1)))
            ended = not one.is_alive()
        after = time.monotonic()
        if not ended:
            if call == "kill" and mode.program:  # it was not forwarded; the next one is
                one.end()
            with contextlib.suppress(Failure):
                until(lambda: not one.is_alive(), "the end", STOP + (10 if QUICK else 1))
        if fault.crashed():
            return fault.hits(), "a fault", False
        if one.is_alive():
            return fault.hits(), f"does not end within {time.monotonic() - after:.1f} s of the fault's end", False
        took = (after if ended else time.monotonic()) - begin
        code = one.init.wait()
        survivors = []
        with contextlib.suppress(Failure):
            until(lambda: not one.init.pids(), "all are gone", 3)
        survivors = [one.init.describe(pid) for pid in one.init.pids()]
        if survivors and "left behind" not in one.init.stderr:  # it cannot see them, and has said so
            return fault.hits(), f"left behind: {survivors}", not ended
        if code != mode.code:
            return fault.hits(), f"code {code} after {took:.1f} s: {last_words(one.init)!r}", not ended
        return fault.hits(), "", not ended
    finally:
        one.close()


def shutdowns(mode, pid1):
    calls = shutdown_calls(mode, pid1)
    rows = []
    for what, when, jobs in (("once", "1", [(call, error) for call in calls for error in ERRORS]),
                             (f"for {FAULT} s", "1+", lasting(calls, pid1))):
        row = Row(f"{mode.name}, {'PID 1' if pid1 else 'subreaper'}, {what}")
        row.calls = len(calls)
        if QUICK:
            jobs = jobs[::13]
        with concurrent.futures.ThreadPoolExecutor(INSTANCES) as pool:
            for (call, error), (hits, why, late) in zip(jobs, pool.map(lambda job: one_shutdown(mode, pid1, *job, when), jobs)):
                if not hits:
                    row.missed += 1
                    continue
                row.faults += 1
                row.late[call] += late
                if why:
                    row.bad.append(f"shutdown, {row.what}: {call}, {error}: {why}")
                    print(row.bad[-1], file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def measured(run):
    """Both for one program; None for another's that does not even run as it is."""
    try:
        return steady(*run), shutdowns(*run)
    except Exception as error:  # its time must not be lost for the others
        print(f"{run[0].name}: {error!r}", file=sys.__stderr__, flush=True)
        if not run[0].program:
            raise
        return None


def busy(row):
    return ", ".join(f"`{call}` ({rate})" for call, rate in row.rates.most_common() if rate > OFTEN) or "none"


def steady_cells(row):
    return [row.what, row.calls, row.faults, f"{row.worst:.1f} s", busy(row), len(row.bad), row.missed]


def end_cells(row):
    late = ", ".join(f"`{call}`" for call, count in row.late.items() if count)
    return [row.what, row.calls, row.faults, len(row.bad), row.missed, late or "none"]


def said_of(figures):
    """What is said of peers, by name."""
    return "; ".join(f"{name}: {figure}" for name, figure in figures.items()) + " (here)" * bool(figures)


def main():
    section = Section("A system call fails while all runs, and at the end", f"""
        Five services: one notifies and prints, one leaves orphans and has its log in a file, one has probes, one ends
        every 50 ms, one starts when somebody connects; meanwhile services are killed, restarted, asked for, reloaded.
        Each system call that muster-init then makes (those of a trace of such a time) fails, with
        {', '.join(ERRORS)} each: {HOW_OFTEN[len(NUMBERS)]}; and with {FOR_LONG} from some moment on
        for {FAULT} s (but for close, which closes in any case, and not where it is made to fail). One second after the fault (a step of backoff is 0.1 s here), and what the same look took just before the fault,
        the same init has all services running,
        restarts the one that ends, answers, and starts the one that somebody connects to. Wrapping, it forwards signals
        and reaps. Then the same for the calls of a shutdown (once, and for {FAULT} s), which ends with the right code and
        nothing left behind, {STOP + 1} s behind TERM, or behind the end of a fault that keeps init from hearing, seeing or
        signalling (a process that it can neither see nor signal it names). Others of the kind wrap the same program as
        PID 1, or supervise a service that leaves an orphan behind and ends, and have {Supervisor.room} s for their
        restart.""")
    table, ends, bad, faults = [], [], [], 0
    wanted = os.environ.get("ONLY", "").split()
    of_peers, fastest = {}, collections.Counter()
    runs = list(itertools.product((Supervise, Wrap), (True, False)))
    runs = [(mode, pid1) for mode, pid1 in runs + ([] if QUICK else [(peer, True) for peer in peers()])
            if not (QUICK and not pid1 or wanted and mode.name not in wanted)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(measured, runs))
    for (mode, _), rows in zip(runs, results):
        if rows is None:
            section.say(f"{mode.name} could not be measured this time.")
        elif mode.program:
            table += [steady_cells(row) for row in rows[0]]
            ends += [end_cells(row) for row in rows[1]]
            of_peers[mode.name] = (f"{sum(len(row.bad) for row in itertools.chain(*rows))} of "
                                   f"{sum(row.faults for row in itertools.chain(*rows))}")
            fastest[mode.name] = max(rate for row in rows[0] for rate in [0, *row.rates.values()])
        if rows is None or mode.program:
            continue
        for row in rows[0]:
            table.append(steady_cells(row))
            if row.pid1:  # else looking through /proc means all processes of the machine
                fastest[None] = max(fastest[None], *row.rates.values(), 0)
            bad += row.bad
            faults += row.faults
        for row in rows[1]:
            ends.append(end_cells(row))
            bad += row.bad
            faults += row.faults
    section.say("**While all runs:**")
    section.table(["init", "calls", "faults", "all well after, at most", f"tried again more than {OFTEN} times a second", "bad", "not reached"], table)
    section.say("**At the end:**")
    section.table(["init", "calls", "faults", "bad", "not reached", "had to wait for the fault's end"], ends)
    if bad:
        section.say("Bad:\n\n" + "\n".join(f"- {line}" for line in bad))
    section.goal("a call that keeps failing, as PID 1, is tried again at most", f"{OFTEN} times a second", fastest[None],
                 fastest[None] <= OFTEN, said_of({name: rate for name, rate in fastest.items() if name}))
    section.goal("faults after which init is not there, or something is not as before", "0",
                 f"{len(bad)} of {faults}", not bad, said_of(of_peers))
    section.finish()


main()
