#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No zombie stays, no end is lost, and each exit code arrives as it was."""
import contextlib
import os
import pathlib
import shutil
import signal
import time

from report import QUICK, Section
from lib import IS_ROOT, Init, proc_state, read_proc, tool, until

M = tool("misbehave")
BATCH = 500
STORM = 5_000 if QUICK else 100_000
HELD_UP = 2_000 if QUICK else 50_000
STOPPED_SECONDS = 0.2 if QUICK else 5
ROUNDS = 1 if QUICK else 3
CODES = range(0, 256, 51) if QUICK else range(256)
PATIENCE = 100
PEERS = [(name, path) for name in ("tini", "dumb-init", "catatonit") if (path := shutil.which(name))]


def orphans(pid):
    """Children of init that are dead and not waited for."""
    children = read_proc(pid, f"task/{pid}/children").split()
    return sum(proc_state(int(child)) == "Z" for child in children)


def cpu_seconds(pid):
    return int(read_proc(pid, "schedstat").split()[0]) / 1e9


def wrapped(*actions):
    return {"args": ("--", M, *map(str, actions))}


def supervised(*actions):
    return {"args": (), "config": f"[service:storm]\ncommand = {M} {' '.join(map(str, actions))}\nrestart = no\n"}


def inits():
    """Name, and what starts actions below it as PID 1."""
    yield "muster-init -- (wrap)", wrapped, None
    yield "muster-init -c (supervise)", supervised, None
    for name, path in PEERS:
        yield name, wrapped, path


def start(make, program, *actions, **options):
    given = make(*actions)
    return Init(*given.pop("args"), program=program, **given, **options)


# ---- orphans ----


def storm(make, program):
    """Seconds of processor time, and until the last zombie is gone."""
    with start(make, program, "append", "{dir}/up", "x", "await", "{dir}/go", "times", STORM // BATCH, "[", "backlog", BATCH, "]",
               "append", "{dir}/done", "x", "forever") as init:
        init.wait_file("up")
        begin = cpu_seconds(init.pid)
        init.write("go", "x")
        init.wait_file("done", PATIENCE)
        last = time.monotonic()
        until(lambda: orphans(init.pid) == 0, "no zombie is left", PATIENCE)
        return cpu_seconds(init.pid) - begin, time.monotonic() - last


def best(runs, which, show):
    """The peer with the least of it."""
    peers = {name: run[which] for name, (program, run) in runs.items() if program}
    name = min(peers, key=peers.get, default="")
    return f"{name}: {show(peers[name])} (here)" if name else ""


def storms(section):
    everybody = list(inits())
    rounds = [[storm(make, program) for _, make, program in everybody] for _ in range(ROUNDS)]
    runs = {name: (program, (min(run[0] for run in of), max(run[1] for run in of)))
            for (name, _, program), *of in zip(everybody, *rounds)}
    shown = (lambda cpu: f"{cpu:.2f} s"), (lambda late: f"{late * 1000:.0f} ms")
    for name, (program, (cpu, late)) in runs.items():
        if program is None:
            section.goal(f"{name}: last zombie of {STORM:,} orphans gone after", "200 ms", shown[1](late),
                         late <= (5 if QUICK else 0.2), best(runs, 1, shown[1]))
            section.goal(f"{name}: processor time for them", "0.35 s", shown[0](cpu), QUICK or cpu <= 0.35,
                         best(runs, 0, shown[0]))
    section.say(f"**{STORM:,} orphans** in batches of {BATCH}, as PID 1; the least processor time and the longest "
                f"delay of {ROUNDS} run(s), with programs of the same kind in the same run:")
    section.table(["init", "processor time of PID 1", "last zombie gone after"],
                  [[name, shown[0](cpu), shown[1](late)] for name, (_, (cpu, late)) in runs.items()])


@contextlib.contextmanager
def room_for(processes):
    """So many pids, where the machine lets us."""
    limit = pathlib.Path("/proc/sys/kernel/pid_max")
    before = int(limit.read_text())
    try:
        if IS_ROOT and before < processes + 20_000:
            limit.write_text(str(processes + 20_000))
        yield min(processes, int(limit.read_text()) - 20_000)
    finally:
        if IS_ROOT:
            limit.write_text(str(before))


def held_up(section):
    """PID 1 stands still while they end: one SIGCHLD for all of them."""
    rows = []
    with room_for(HELD_UP) as count:
        for name, make, program in inits():
            with start(make, program, "append", "{dir}/up", "x", "await", "{dir}/go", "times", count // BATCH, "[", "backlog", BATCH, "]",
                       "append", "{dir}/done", "x", "await", "{dir}/end", "exit", 3) as init:
                init.wait_file("up")
                os.kill(init.pid, signal.SIGSTOP)
                until(lambda: proc_state(init.pid) == "T", "init is stopped")
                begin = time.monotonic()
                init.write("go", "x")
                init.wait_file("done", PATIENCE)
                time.sleep(max(0, STOPPED_SECONDS - (time.monotonic() - begin)))
                waiting = orphans(init.pid)
                stopped = time.monotonic() - begin
                os.kill(init.pid, signal.SIGCONT)
                begin = time.monotonic()
                until(lambda: orphans(init.pid) == 0, "all are reaped", PATIENCE)
                rows.append([name, f"{stopped:.1f} s", waiting, f"{(time.monotonic() - begin) * 1000:.0f} ms"])
                if program is None:
                    section.goal(f"{name}: zombies left of {waiting:,} after a stop of {stopped:.0f} s", "0", 0, True)
    section.say("**One SIGCHLD for many**: PID 1 is stopped while they die, and continued:")
    section.table(["init", "stopped", "zombies then", "all reaped after"], rows)


# ---- ends ----


def codes(section):
    rows, wrong = [], []
    for pid1 in (True, False):
        found = []
        for code in CODES:
            with Init("--", M, "exit", code, pid1=pid1) as init:
                found.append((code, init.wait()))
        wrong += [pair for pair in found if pair[0] != pair[1]]
        rows.append([f"wrap, {'PID 1' if pid1 else 'subreaper'}", len(found), sum(a == b for a, b in found)])
    sections = "".join(f"[service:c{code}]\ncommand = {M} exit {code}\ntype = oneshot\nrestart = no\nessential = no\n"
                       for code in CODES)
    for pid1 in (True, False):
        with Init(config=f"{sections}[service:on]\ncommand = {M} forever\n", pid1=pid1) as init:
            def ended():
                return [s for s in init.services().values() if s["state"] in ("completed", "failed")]

            until(lambda: len(ended()) == len(CODES), "all have ended", PATIENCE)
            found = [(int(service["name"][1:]), service["last_exit"]) for service in ended()]
            wrong += [pair for pair in found if pair[0] != pair[1]]
            rows.append([f"supervise, {'PID 1' if pid1 else 'subreaper'}", len(found), sum(a == b for a, b in found)])
    harmless = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSTOP, signal.SIGTSTP,
                signal.SIGTTIN, signal.SIGTTOU}
    fatal = [signo for signo in range(1, 65) if signo not in harmless and signo not in (32, 33)]
    found = []
    for signo in fatal[::11] if QUICK else fatal:
        with Init("--", M, "die", signo) as init:
            found.append((128 + signo, init.wait()))
    wrong += [pair for pair in found if pair[0] != pair[1]]
    rows.append(["wrap, fatal signals (128 + n)", len(found), sum(a == b for a, b in found)])
    rows.append(core_dump(wrong))
    section.say("**Codes** of programs and services, as they arrive outside:")
    section.table(["", "ends", "right"], rows)
    section.goal("wrong or lost exit codes", "0", len(wrong), not wrong)


def core_dump(wrong):
    """A status with the core flag: 128 + 6, not 128 + 6 + 128."""
    with Init("--", "/bin/sh", "-c", "ulimit -c unlimited; cd {dir}; kill -ABRT $$", pid1=False) as init:
        code = init.wait()
    wrong += [] if code == 134 else [(134, code)]
    return ["wrap, abort with a core dump allowed", 1, int(code == 134)]


def failed_waits(section):
    strace = shutil.which("strace")
    if not strace:
        section.say("strace is not installed: no failing wait was tried.")
        return
    rows, lost = [], 0
    options = {"muster-init -- (wrap)": (wrapped, None), "muster-init -c (supervise)": (supervised, None)}
    options |= {name: (wrapped, path) for name, path in PEERS} if not QUICK else {}
    for name, (make, program) in options.items():
        kept = 0
        for error in ("EINTR", "ENOMEM", "EPERM", "ECHILD", "EAGAIN"):
            inject = "inject=wait4,waitid:error=" + error + ":when=1"
            with start(make, program, "exit", 5, pid1=False, prefix=[strace, "-q", "-o", "{dir}/trace", "-e", inject]) as init:
                with contextlib.suppress(Exception):
                    init.wait(20 if QUICK else 5)
                kept += not init.running()
        rows.append([name, 5, 5 - kept])
        lost += 5 - kept if program is None else 0
    section.say("**A failing wait**: the first wait4 or waitid fails once with EINTR, ENOMEM, EPERM, ECHILD or EAGAIN; "
                "lost is what still ran 5 s after its only child had ended (a code that differs is not counted):")
    section.table(["init", "runs", "lost"], rows)
    others = ", ".join(f"{row[0]}: {row[2]} of {row[1]}" for row in rows if not row[0].startswith("muster-init"))
    section.goal("children lost to a failing wait", "0", lost, lost == 0, f"{others} (here)" if others else "")


def main():
    section = Section("Reaping", """
        Orphans by the hundred thousand leave no zombie and cost little; what ends while PID 1 stands still is
        reaped when it goes on; exit codes of every kind arrive; a wait that fails loses nobody.""")
    storms(section)
    held_up(section)
    codes(section)
    failed_waits(section)
    section.finish()


main()
