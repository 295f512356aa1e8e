#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever shape its processes are in, a container is empty one second after the grace, in the right order."""
import contextlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time

from report import QUICK, Section
from lib import IS_ROOT, Failure, Init, check, equal, proc_state, tool, until

M = tool("misbehave")
GRACES = (0.3,) if QUICK else (0.2, 1, 2)
SLACK = 20 if QUICK else 1  # seconds after the grace: a figure in the full run, not in a test
MANY = 100 if QUICK else 5_000
BOMBS = 50 if QUICK else 200
GRAPHS = 12 if QUICK else int(os.environ.get("SHUTDOWN_GRAPHS", 1_000))
PATIENCE = 60
REPEATS = 2  # of a run that took too long: a busy machine is slow in everything
UP = "pid {dir}/up"


class Missing(Exception):
    """This machine cannot put a process into that shape."""


class Shape:
    """One way not to end; `after` brings the processes into it, `undo` lets go of them."""

    killed = True    # by us, and so named in the last line
    wrap_options = ()
    keys = ("", "")
    stuck = False    # KILL does not help while it lasts

    def __init__(self, name, words, **attributes):
        self.name, self.words = name, words
        vars(self).update(attributes)

    def prepare(self, init):
        """Called before the start."""

    def enter(self, init, pids):
        """Called when they are up."""

    def leave(self):
        """Called when init's part is done."""


class Stopped(Shape):
    def enter(self, init, pids):
        for pid in pids:
            until(lambda: proc_state(pid) in "Tt", f"{pid} is stopped")


class Frozen(Shape):
    """A freezer of its own, of cgroup v2, or the old one, in which KILL has to wait."""

    def enter(self, init, pids):
        if not IS_ROOT:
            raise Missing("needs root")
        self.mounted = None
        if self.old:
            self.group = pathlib.Path("/sys/fs/cgroup/freezer")
            if not (self.group / "tasks").exists():
                raise Missing("no freezer of cgroup v1")
        else:
            self.mounted = self.group = pathlib.Path(tempfile.mkdtemp(prefix="muster-cgroup-"))
            if subprocess.call(["mount", "-t", "cgroup2", "none", self.group], stderr=subprocess.DEVNULL):
                self.mounted.rmdir()
                raise Missing("cgroup2 cannot be mounted")
        self.group = self.group / f"muster-test-{os.getpid()}"
        try:
            self.group.mkdir(exist_ok=True)
            for pid in pids:
                (self.group / "cgroup.procs").write_text(str(pid))
            self.freeze(True)
        except OSError as error:
            self.leave()
            raise Missing(f"no process can be frozen: {error.strerror}") from None

    def freeze(self, on):
        if self.old:
            (self.group / "freezer.state").write_text("FROZEN" if on else "THAWED")
            until(lambda: (self.group / "freezer.state").read_text() == ("FROZEN\n" if on else "THAWED\n"), "frozen")
        else:
            (self.group / "cgroup.freeze").write_text("1" if on else "0")
            if on:
                until(lambda: "frozen 1" in (self.group / "cgroup.events").read_text(), "frozen")

    def leave(self):
        if self.group.exists():
            self.freeze(False)
            until(lambda: not (self.group / "cgroup.procs").read_text(), "the group is empty")
            self.group.rmdir()
        if self.mounted:
            subprocess.call(["umount", "-l", self.mounted])
            self.mounted.rmdir()


class Uninterruptible(Shape):
    """A write to a file system that is frozen."""

    def prepare(self, init):
        if not IS_ROOT or not all(map(shutil.which, ("mkfs.ext4", "fsfreeze", "losetup"))):
            raise Missing("needs root, mkfs.ext4 and fsfreeze")
        self.mount = init.dir / "mount"
        self.mount.mkdir()
        with open(init.dir / "image", "wb") as file:
            file.truncate(16 << 20)
        subprocess.check_call(["mkfs.ext4", "-q", "-F", init.dir / "image"])
        if subprocess.call(["mount", "-o", "loop", init.dir / "image", self.mount], stderr=subprocess.DEVNULL):
            raise Missing("no loop device")

    def enter(self, init, pids):
        subprocess.check_call(["fsfreeze", "-f", self.mount])
        init.write("frozen", "")
        for pid in pids:
            until(lambda: proc_state(pid) == "D", f"{pid} is in a call that nothing interrupts")

    def leave(self):
        subprocess.call(["fsfreeze", "-u", self.mount], stderr=subprocess.DEVNULL)
        until(lambda: subprocess.call(["umount", self.mount], stderr=subprocess.DEVNULL) == 0, "umount")


def shapes():
    user = 200_000 + 2 * os.getpid()  # the limit counts what one user has
    bomb = {"wrap_options": ("--user", str(user), "--rlimit", f"nproc={BOMBS}"),
            "keys": tuple(f"user = {user + i}\nulimit_nproc = {BOMBS // 2}\n" for i in range(2))}
    yield Shape("ignores TERM", f"ignore TERM {UP} forever")
    yield Stopped("stopped", f"{UP} send STOP self forever", killed=False)
    yield Stopped("stopped, with a handler", f"on TERM [ pid {{dir}}/tidy exit 0 ] {UP} send STOP self forever",
                  killed=False)
    yield Frozen("frozen (cgroup v2)", f"ignore TERM {UP} forever", old=False)
    yield Frozen("frozen (cgroup v1)", f"ignore TERM {UP} forever", old=True, stuck=True)
    yield Shape("session of its own", f"child [ setsid ignore TERM {UP} forever ] ignore TERM forever")
    yield Shape("double fork, no parent", f"orphan [ setsid orphan [ setsid ignore TERM {UP} forever ] ] ignore TERM forever")
    yield Shape("daemon", f"child [ daemon ignore TERM {UP} forever ] forever")
    yield Shape("forks at TERM", f"on TERM [ child [ setsid ignore TERM forever ] ] {UP} forever")
    yield Stopped("stopped by ptrace", "traced {dir}/up forever")
    yield Shape(f"{MANY:,} children", f"ignore TERM times {MANY} [ child [ forever ] ] {UP} forever")
    yield Uninterruptible("uninterruptible", f"ignore TERM {UP} await {{dir}}/frozen append {{dir}}/mount/file x forever",
                          stuck=True)
    yield Shape("real-time priority, spins", f"ignore TERM {UP} spin 0")
    yield Shape("fork bomb", f"ignore TERM {UP} bomb", **bomb)
    yield Shape("fork bomb, each in its own session", f"ignore TERM {UP} scatter", **bomb)


def ms(seconds):
    return f"{int(seconds * 1000)}ms"


def wrapped(shape, grace, pid1):
    """The program ends at TERM; the shape is what it leaves behind."""
    words = f"on TERM [ exit 0 ] child [ {shape.words} ] forever"
    return Init("--grace", ms(grace), "-v", *shape.wrap_options, "--", M, *words.split(), pid1=pid1), 1


def supervised(shape, grace, pid1):
    """Two services: one is in the shape, one leaves it behind; together they have as many processes."""
    words_of_shape = shape.words.replace(f"times {MANY} ", f"times {MANY // 2} ")
    config = "".join(f"""
[service:{name}]
command = {M} {words}
stop_grace_period = {ms(grace)}
{keys}""" for name, words, keys in (("main", words_of_shape, shape.keys[0]),
                                    ("left", f"on TERM [ exit 0 ] child [ {words_of_shape} ] forever", shape.keys[1])))
    return Init(config=config, pid1=pid1), 2


MODES = {"wrap": wrapped, "supervise": supervised}


def done(init, mode):
    """Whether init's own part is over."""
    line = r"^muster-init: .*ended: " if mode == "supervise" else r"has not ended after KILL"
    return re.search(line, init.stderr, re.M) or not init.running()


def look_at_the_end(init, shape, mode, count):
    """What has to be true when all is over."""
    equal(init.wait(), 0, "exit code")
    # what got KILL is not always gone already where processors are scarce, or it was held
    until(lambda: not init.pids(), lambda: f"nobody survives: {init.pids()}", PATIENCE if shape.stuck or QUICK else 1)
    if shape.name == "stopped, with a handler":
        # the TERM to all that is left at the end may reach one that was told before and has not ended yet
        equal(len(set(init.read("tidy").split())), count, "processes whose handler ran")
    if mode == "supervise":
        last = init.stderr.strip().splitlines()[-1]
        pattern = r"had to be killed: .*misbehave \d+ \((main|left)\)" if shape.killed else "none had to be killed"
        check(re.search(pattern, last), f"the last line is {last!r}")
    elif shape.killed:
        check("KILL to misbehave, process" in init.stderr, "what was killed is named")


def one(shape, mode, grace, pid1):
    """Seconds from TERM until the container is empty (or, stuck, until init has done its part)."""
    run, count = MODES[mode](shape, grace, pid1)
    run.write("up", "", 0o666)
    with contextlib.ExitStack() as stack:
        shape.prepare(run)
        init = stack.enter_context(run)
        bystander = stack.enter_context(subprocess.Popen([M, "forever"], start_new_session=True))
        stack.callback(bystander.kill)
        let_go = stack.enter_context(contextlib.ExitStack())
        let_go.callback(shape.leave)
        until(lambda: len(init.read("up").split()) >= count, "all are up")
        shape.enter(init, [init.outside(int(pid)) for pid in init.read("up").split()])
        begin = time.monotonic()
        init.signal(15)
        if shape.stuck:
            until(lambda: done(init, mode), "init has done its part", grace + SLACK + 10)
        else:
            init.wait(grace + SLACK + 10)
        took = time.monotonic() - begin
        let_go.close()
        look_at_the_end(init, shape, mode, count)
        equal(bystander.poll(), None, "the bystander")
    return took


def shut(section):
    rows, runs, in_time, repeated, skipped = [], 0, 0, 0, []
    for number, shape in enumerate(shapes()):
        row = [shape.name]
        try:
            for column, (mode, pid1) in enumerate((mode, pid1) for mode in MODES for pid1 in (True, False)):
                if QUICK and column % 3 != 0 and (number + column) % 2:
                    row.append("")
                    continue
                late = []
                for grace in GRACES if shape.killed or not QUICK else (10,):  # that is not to be used up
                    took = one(shape, mode, grace, pid1)
                    for _ in range(REPEATS):
                        if took > grace + SLACK:
                            repeated += 1
                            took = min(took, one(shape, mode, grace, pid1))
                    late.append(took - grace)
                    runs += 1
                    in_time += took <= grace + SLACK
                row.append(f"{max(late):+.2f} s")
        except Missing as reason:
            skipped.append(f"{shape.name}: {reason}")
            continue
        rows.append(row)
    section.say(f"**Shapes.** Grace: {', '.join(ms(grace) for grace in GRACES)}. What is left behind by a program that ends "
                "at TERM (wrap), a service in the shape and another that leaves it behind (supervise). Figures: the "
                "longest time from TERM until all was gone, less the grace (a run that took too long was repeated up to "
                f"{REPEATS} times, and the shortest counts: {repeated} repetitions); for what KILL cannot end until it is let "
                "go, until init had said so and left. In each run as a subreaper a bystander in the same PID "
                "namespace survived; in supervise mode the last line names what had to be killed.")
    section.table(["shape", "wrap, PID 1", "wrap, subreaper", "supervise, PID 1", "supervise, subreaper"], rows)
    for reason in skipped:
        section.say(f"Not shown here: {reason}.")
    section.goal("all gone one second after the grace, of so many runs", runs, in_time, in_time == runs, peers())


def peers():
    """What others do with a program that ignores TERM, and with one that is stopped and would tidy up at TERM."""
    found = []
    for name in ("tini", "dumb-init", "catatonit"):
        if QUICK or not shutil.which(name):
            continue
        gone = 0
        for words in (f"ignore TERM {UP} forever", f"on TERM [ exit 0 ] {UP} send STOP self forever"):
            with Init("--", M, *words.split(), program=shutil.which(name)) as init:
                pid = init.outside(int(init.wait_file("up")))
                until(lambda: "STOP" not in words or proc_state(pid) in "Tt", "it is stopped")
                init.signal(15)
                with contextlib.suppress(Failure):
                    until(lambda: not init.running(), "it is gone", 5)
                gone += not init.running()
        found.append(f"{name} {gone}")
    return f"of 2 shapes gone after 5 s: {', '.join(found)} (here)" if found else ""


def flushing(section):
    """An orphan that needs its time to write what it has."""
    kept = []
    actions = "orphan [ setsid on TERM [ sleep 1000 append {dir}/flushed x exit 0 ] append {dir}/up x forever ]"
    config = f"[service:web]\ncommand = {M} {actions} exec {M} on TERM [ exit 0 ] await {{dir}}/up forever\n"
    for pid1 in (True, False):
        wrap = ["--", M, *actions.split(), "await", "{dir}/up", "exit", "0"]
        for init in (Init(*wrap, pid1=pid1), Init(config=config, pid1=pid1)):
            with init:
                init.wait_file("up")
                if "-c" in init.args:
                    init.signal(15)
                init.wait()
                kept.append(init.read("flushed") == "x\n")
    section.goal("orphans that needed 1 s after TERM and had it", len(kept), sum(kept), all(kept))


# ---- order ----


def graph(dice, size):
    """Services that each depends on: only earlier ones, so that there is no cycle."""
    return [dice.sample(range(i), min(i, dice.randrange(5))) for i in range(size)]


def service(number, needs, dependents, dice):
    starts = " ".join(f"free {{dir}}/lock-{n} [ append {{dir}}/wrong 'start {number} without {n}' ]" for n in needs)
    stops = " ".join(f"held {{dir}}/lock-{n} [ append {{dir}}/wrong 'stop {number} before {n}' ]" for n in dependents)
    return f"""
[service:s{number}]
command = {M} on TERM [ {stops} sleep {dice.randrange(4)} append {{dir}}/down {number} exit 0 ] hold {{dir}}/lock-{number} {starts} sleep {dice.randrange(4)} ready-fd 3 forever
readiness_probe = fd:3
depends_on = {', '.join(f's{n}' for n in needs)}
"""


def one_graph(seed, early):
    """Edges that were looked at in the stop, and what was wrong."""
    dice = random.Random(seed)
    size = dice.choice((10, 20, 30, 50) if QUICK or seed % 50 else (200, 500))
    edges = graph(dice, size)
    dependents = [[i for i, needs in enumerate(edges) if n in needs] for n in range(size)]
    config = "[muster]\nstart_parallel = unlimited\nstop_timeout = 60s\n" + "".join(
        service(i, edges[i], dependents[i], dice) for i in range(size))
    with Init(config=config, pid1=seed % 2 == 0) as init:
        if early:
            time.sleep(dice.random() * size * 0.004)
        else:
            init.wait_line("all ready after", seconds=PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            until(lambda: os.path.realpath(f"/proc/{init.pid}/exe") == os.path.realpath(init.program) and
                  signals_taken(init.pid), "init takes signals")
            init.signal(15)
        equal(init.wait(PATIENCE), 0, "exit code")
        init.wait_line("ended: signal TERM; exit code 0; .* none had to be killed")
        down = [int(word) for word in init.read("down").split()]
        if not early:
            equal(len(down), size, "services that ended by themselves")
        return sum(len(dependents[i]) for i in down), init.read("wrong").splitlines()


def signals_taken(pid):
    """Whether TERM is blocked, to be read from a descriptor: before that it would end init."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"SigBlk:\s*(\w+)", status)[1], 16) >> 14 & 1


def order(section):
    rows = []
    for early in (False, True):
        edges, wrong = 0, []
        for seed in range(GRAPHS):
            looked, found = one_graph(2 * seed + early, early)
            edges += looked
            wrong += found
        rows.append(["TERM at a random instant of the start" if early else "TERM when all are ready", GRAPHS, edges, len(wrong)])
        section.goal(f"edges violated, {rows[-1][0]}", "0", len(wrong), not wrong)
    section.say("**Order.** Random graphs of 10 to 500 services. Each holds a lock as long as it lives; at its start it looks "
                "whether all that it depends on hold theirs, at TERM whether one that depends on it still does. "
                "Half of the graphs run as PID 1, half as a subreaper.")
    section.table(["", "graphs", "edges seen at the stop", "violated"], rows)


def main():
    section = Section("Shutdown", """
        Processes that will not end, cannot hear, or are not where one would look for them are gone one second after
        their grace; services stop against the direction of the graph; orphans get TERM and their time.""")
    shut(section)
    flushing(section)
    order(section)
    section.finish()


main()
