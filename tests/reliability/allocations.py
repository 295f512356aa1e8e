#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whichever allocation of the three programs fails, once or with all behind it: all works, or it ends soon with a line;
once started muster-init makes none, and a reload without memory changes nothing."""
import collections
import concurrent.futures
import contextlib
from http.client import HTTPException
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from report import QUICK, Section
from lib import BUILD, Failure, Init, ROOT, check, equal, free_port, proc_status, tool, until
from alloclib import OTHERS, OWN, Allocations
from sidecarlib import OK, Sidecar, Target, answering
from sidecarlib.question import ask_bytes, ask_tcp, question

M = tool("misbehave")
# of this build each object of an arena is an allocation of its own (make reliability makes it)
EXACT = BUILD / "exact"
PROGRAMS = EXACT if not QUICK and (EXACT / "muster-init").exists() else BUILD
INIT, CTL, SIDECAR = (PROGRAMS / name for name in ("muster-init", "musterctl", "muster-sidecar"))
EVERY_KEY = ROOT / "tests" / "config" / "good" / "every_key.ini"
MOST = 4 if QUICK else None  # points of each kind
PATIENCE = 20
EVERY = int(os.environ.get("EVERY", "1"))  # of all points, every so many, for who has less time
NTH = int(os.environ.get("SIDECAR_NTH", "1"))  # of the thousands of the sidecar's start, most of them libraries', every so many
WORKS, ENDED, ANSWERED, RESTARTED, BAD = "works", "ends with code and line", "refused", "ended, was started again", "bad"
COLUMNS = (WORKS, ENDED, ANSWERED, RESTARTED, BAD)
SAID = re.compile("memory|cannot|error|failed|full|lost|takes too long|Bad address")


class Row:
    """One line of the table."""

    def __init__(self, what):
        self.what = what
        self.points = self.missed = self.before = 0
        self.verdicts = collections.Counter()
        self.bad = []

    def take(self, verdict, why, what, callers):
        self.verdicts[verdict] += 1
        if verdict == BAD:
            self.bad.append(f"{self.what}: {what}: {why} (in {' < '.join(callers[:6]) or 'a library, before main()'})")

    def cells(self):
        return [self.what, self.points, self.verdicts.total(), *(self.verdicts[name] for name in COLUMNS), self.missed]


def points(count):
    """The numbers to be tried of so many."""
    return range(1, count + 1, EVERY) if not MOST or count <= MOST else [1 + i * (count - 1) // (MOST - 1) for i in range(MOST)]


def judge(code, out, err, good, codes):
    """Of a program that ran to its end. good: (code, stdout) as it should be."""
    if (code, out) == good:
        return WORKS, ""
    if code == good[0] == 0:
        return BAD, f"exit code 0, but stdout is {out[-3:]!r}"
    if code in codes and SAID.search(f"{err} {out}"):
        return ENDED, ""
    return BAD, f"exit code {code}: {err[-300:]!r}"


def each(row, count, run, program="muster-init", part=OWN, nth=1):
    """run(allocations) to its end, with each of so many allocations failing once, or every nth, and again with all
    behind it."""
    def attempt(job):
        number, sticky = job
        with Allocations(program) as allocations:
            allocations.fail(number, sticky, part)
            try:
                verdict, why = run(allocations)
            except (Failure, subprocess.TimeoutExpired) as error:
                verdict, why = BAD, str(error)
            return bool(allocations.failed(part)), verdict, why, allocations.callers(PROGRAMS / program, part)

    jobs = list(itertools.product(points(count)[::nth], (False, True)))
    row.points = count
    with concurrent.futures.ThreadPoolExecutor(2 * len(os.sched_getaffinity(0))) as pool:
        for (number, sticky), (reached, verdict, why, callers) in zip(jobs, pool.map(attempt, jobs)):
            if not reached:
                row.missed += 1
            else:
                row.take(verdict, why, f"number {number}{' and all behind it' if sticky else ''}", callers)
    return row


# ---- muster-init: what runs to its end ----


def command_run(words, env, codes, good=None):
    """A run of a program for each(); without `good` also how it should end."""
    def run(allocations):
        done = subprocess.run(words, env={**env, **allocations.env}, capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, check=False)
        result = done.returncode, done.stdout
        return (result, done.stderr) if good is None else judge(*result, done.stderr, good, codes)

    return run


def count_command(words, env, program, part=OWN):
    """(how often it allocates, what it should give)"""
    with Allocations(program) as allocations:
        result, _ = command_run(words, env, ())(allocations)
        return allocations.calls(part), result


def command_row(what, words, env, program, codes, part=OWN):
    count, good = count_command(words, env, program, part)
    return each(Row(what), count, command_run(words, env, codes, good), program, part)


def check_row():
    return command_row("`muster-init --check`", [INIT, "--check", "-c", EVERY_KEY], {"PATH": "/usr/bin:/bin"},
                       "muster-init", (70, 78))


def wrap_row():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "env").write_text("".join(f"KEY_{i}=value\n" for i in range(20)))
        (folder / "secrets").mkdir()
        (folder / "secrets" / "password").write_text("open sesame\n")
        words = [INIT, "--env-file", folder / "env", "--secrets", folder / "secrets", "--seccomp", "default",
                 "--no-new-privileges", "--umask", "027", "--", M, "print", "hello", "exit", "5"]
        return command_row("wrap, with environment and filter", words, {"PATH": "/usr/bin:/bin"}, "muster-init",
                           (70, 77, 78))


def profile_row():
    """A profile is compiled by libseccomp: the filter has to be the one that was asked for, or none starts."""
    denied = ("mount umount2 swapon swapoff reboot ptrace kexec_load bpf add_key keyctl acct chroot pivot_root syslog "
              "settimeofday sethostname init_module delete_module quotactl userfaultfd").split()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": denied, "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
            {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 97,
             "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_EQ"}]}]}, file)
        file.flush()
        return command_row("its helper that makes a filter of a profile, with libseccomp",
                           [INIT, "--seccomp", file.name, "--", tool("verdicts"), "0-220", "240-450", "41:38", "41:1"],
                           {"PATH": "/usr/bin:/bin"}, "muster-init", (70, 78), OTHERS)


# ---- muster-init: services ----

SERVICES = f"""
[muster]
stop_timeout = 3s
state_dir = {{dir}}/state
[service:db]
command = {M} notify READY=1 forever
readiness_probe = notify
restart_backoff = 10ms..100ms
[service:queue]
command = {M} print hello forever
log = file:{{dir}}/queue.log
depends_on = db
seccomp = default
restart_backoff = 10ms..100ms
[service:web]
command = {M} pid {{dir}}/up forever
depends_on = queue
readiness_probe = file:{{dir}}/up
readiness_probe_period = 10ms
restart_backoff = 10ms..100ms
listen = unix:{{dir}}/sockets/web
"""


def supervise_run(allocations):
    with Init(config=SERVICES, program=INIT, env=allocations.env) as init:
        until(lambda: init.read("up") or not init.running(), "all run", PATIENCE)
        if init.running():
            with contextlib.suppress(ProcessLookupError):
                init.signal(signal.SIGTERM)
        code = init.wait(PATIENCE)
        started = bool(init.read("up"))
        if code == 0 and started:
            return WORKS, ""
        if code in (70, 78) and not started and SAID.search(init.stderr):
            return ENDED, ""
        return BAD, f"exit code {code}, {init.stderr[-300:]!r}"


def supervise_row():
    with Allocations("muster-init") as allocations:
        equal(supervise_run(allocations)[0], WORKS, "without a fault")
        count = allocations.calls()
    return each(Row("supervise: start of three services, shutdown"), count, supervise_run)


# ---- muster-init: reload ----

MORE = SERVICES + f"""
[service:more]
command = {M} forever
restart = always
environment = A=1
[service:other]
command = {M} forever
depends_on = more, web
"""


class Reloaded:
    """A running init whose configuration is A; a reload to B is made to fail, again and again."""

    def __init__(self, init):
        self.init = init

    def reload(self, text):
        self.init.write("muster.ini", self.init.fill(text))
        return self.init.ctl("reload")

    def state(self):
        return {name: (one["state"], one["pid"]) for name, one in self.init.services().items()}

    def memory(self):
        status = proc_status(self.init.pid)
        return int(status["VmSize"].split()[0]), int(status["VmData"].split()[0])


def reload_once(run, allocations, before, number, sticky):
    """Whether an allocation failed; verdict; why."""
    allocations.fail(number, sticky)
    result = run.reload(MORE)
    reached = bool(allocations.failed())
    allocations.fail(0)
    now = run.state()
    if result.returncode == 0 and "more" in now:
        equal(run.reload(SERVICES).returncode, 0, "back")
        until(lambda: run.state() == before, "all as before", PATIENCE)
        return reached, WORKS, ""
    if result.returncode == 0:
        return reached, BAD, f"said to be done: {result.stdout!r}"
    if now != before:
        return reached, BAD, f"not as before: {before}, {now}"
    if not SAID.search(result.stderr):
        return reached, BAD, f"code {result.returncode}, {result.stderr!r}"
    return reached, ANSWERED, ""


def reload_row(section):
    row = Row("reload, of a running init")
    with Allocations("muster-init") as allocations, \
            Init(config=SERVICES, program=INIT, env=allocations.env) as init:
        run = Reloaded(init)
        init.wait_file("up")
        init.wait_state("web", "ready")
        before = run.state()
        begin = allocations.calls()
        equal(run.reload(MORE).returncode, 0, "a reload without a fault")
        row.points = allocations.calls() - begin
        equal(run.reload(SERVICES).returncode, 0, "back")
        until(lambda: run.state() == before, "all as before", PATIENCE)
        size = run.memory()
        for number in points(row.points):
            for sticky in (False, True):
                reached, verdict, why = reload_once(run, allocations, before, number, sticky)
                if reached:
                    row.take(verdict, why, f"number {number}{' and all behind it' if sticky else ''}",
                             allocations.callers(INIT))
                else:
                    row.missed += 1
        equal(reload_once(run, allocations, before, 0, False)[1], WORKS, "a reload after all that")
        grown = run.memory()[0] - size[0]
        init.signal(signal.SIGTERM)
        equal(init.wait(), 0, "exit code")
    section.goal("address space of init after all failed reloads", "no more than 256 kB", f"{grown:+} kB", grown <= 256)
    return row


# ---- muster-init once started ----

BUSY = "".join(f"""
[service:s{i}]
command = {M} lines 50 error "on stderr" exit 1
restart_backoff = 1ms..1ms
restart_limit = unlimited
pre_start = {M} print hook
log = {('prefix', 'json', 'file:{dir}/log')[i % 3]}
essential = no
""" for i in range(6)) + f"""
[service:web]
command = {M} notify READY=1 forever
readiness_probe = notify
liveness_probe = exec:{M} exit 0
liveness_probe_period = 5ms
"""


def started_row(section):
    """All allocations fail once it has started; it makes none."""
    with Allocations("muster-init") as allocations, Init(config=BUSY, program=INIT, env=allocations.env) as init, \
            init.control() as control:
        init.wait_state("web", "ready")
        begin = allocations.calls()
        check(begin > 0, "the library is not in the program")
        allocations.fail(1, True)

        def starts():
            return sum(one["starts"] for one in init.services().values())

        first = starts()
        for turn in range(20 if QUICK else 200):
            for kind in (1, 3, 4, 2):
                control.ask_service(kind, "web")
            init.ctl("logs", "-n", "5")
            if turn % 10 == 0:
                init.signal(signal.SIGUSR1)
        enough = first + (100 if QUICK else 2000)
        until(lambda: starts() > enough, "many starts", 120)
        count = starts() - first
        init.signal(signal.SIGTERM)
        equal(init.wait(), 0, "exit code")
        made = allocations.calls() - begin
    section.goal(f"allocations of init from the start-up's end to its exit, {count} starts of services between", "0", made,
                 made == 0)


# ---- musterctl ----

COMPOSE = """
services:
  web:
    image: nginx
    command: ["nginx", "-g", "daemon off;"]
    environment: {A: "1", B: two}
    depends_on: [db]
    healthcheck: {test: ["CMD", "curl", "-f", "http://localhost/"], interval: 5s}
  db:
    image: redis
    command: redis-server --save ""
"""
SUPERVISORD = """
[program:web]
command=/usr/bin/web --port 80
autorestart=true
environment=A="1",B="two"
[program:db]
command=/usr/bin/db
priority=1
"""
SOURCE = """
REDIS = "redis://192.168.1.10:6379/0"
URL = os.environ.get("URL", "http://10.0.0.5:8080/api")
"""
# words, and whether each run gives the same
OFFLINE = [["graph", "-c", EVERY_KEY], ["graph", "--format", "dot", "-c", EVERY_KEY], ["check", EVERY_KEY],
           ["resolve", "-c", "{dir}/addresses.ini"], ["resolve", "--json", "-c", "{dir}/addresses.ini"],
           ["convert", "{dir}/compose.yaml"], ["convert", "{dir}/supervisord.conf"], ["convert", "{dir}/Procfile"],
           ["scan", "{dir}/source"], ["scan", "--fix", "{dir}/source"], ["security", "-c", EVERY_KEY]]
ONLINE = [["status"], ["status", "--json"], ["health"], ["timeline"], ["timeline", "--format", "json"],
          ["timeline", "--format", "svg"], ["logs", "-n", "5"], ["wait", "web"], ["security"], ["start", "web"],
          ["signal", "db", "CONT"], ["restart", "queue"], ["reload", "--dry-run"], ["reload"], ["events", "--help"]]
CTL_CODES = (1, 2, 3, 4, 5, 6, 70)


def ctl_files(folder):
    for name, text in {"compose.yaml": COMPOSE, "supervisord.conf": SUPERVISORD, "source/app.py": SOURCE,
                       "Procfile": "web: ./web --port 80\nworker: ./work\n",
                       "addresses.ini": "".join(f"[address:a{i}]\nport = {i + 1}\nfallback = 127.0.0.1\n"
                                                for i in range(3)) + "[service:a]\ntype = external\n"}.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def stable(words, text):
    """Without what differs from run to run. Without memory a graph is drawn in the order of the file."""
    lines = re.sub(r" +", " ", re.sub(r"([0-9.]+(ms|s|m|h|d)?)+|now", "#", text)).splitlines()
    return sorted(lines) if "graph" in words else lines


def ctl_row(words, env, folder):
    words = [CTL, *(str(word).replace("{dir}", str(folder)) for word in words)]

    def run(allocations):
        (code, out), err = command_run(words, env, ())(allocations)
        return judge(code, stable(words, out), err, good, CTL_CODES)

    count, good = count_command(words, env, "musterctl")
    good = good[0], stable(words, good[1])
    return each(Row(" ".join(map(str, words[1:]))), count, run, program="musterctl")


def merged(what, rows):
    total = Row(what)
    for row in rows:
        total.points += row.points
        total.missed += row.missed
        total.verdicts += row.verdicts
        total.bad += row.bad
    return total


def ctl_rows():
    with Init(config=SERVICES, program=INIT) as init:
        init.wait_file("up")
        init.wait_state("web", "ready")
        init.wait_file("queue.log")
        ctl_files(init.dir)
        rows = [ctl_row(words, init.env, init.dir) for words in OFFLINE + ONLINE]
        equal(init.services()["web"]["state"], "ready", "the state of a service after all that")
    return merged(f"`musterctl`, {len(rows)} command lines", rows)


# ---- muster-sidecar ----

ALONE = """
[muster]
name = here
mode = testing
[sidecar]
dns = 127.0.0.1:{dns}
dns_upstream = no
connections = 20
[address:echo]
port = {target}
testing = 127.0.0.1
forward = 127.0.0.1:{forward}
[address:named]
port = {target}
testing = localhost
check_period = 100ms
[peer:pc2]
url = http://127.0.0.1:{peer}/
[service:web]
type = external
readiness_probe = http://127.0.0.1:{target}/health
readiness_probe_period = 50ms
[service:tcp]
type = external
readiness_probe = tcp://127.0.0.1:{target}
readiness_probe_period = 50ms
[service:grpc]
type = external
readiness_probe = grpc://127.0.0.1:{target}
readiness_probe_period = 50ms
essential = no
"""
PATHS = ("/livez", "/readyz?verbose", "/readyz/web", "/startupz", "/health", "/status", "/metrics", "/resolve",
         "/resolve/echo", "/timeline", "/timeline.svg", "/fleet", "/", "/nothing")


class Alone:
    """A sidecar without init, with everything that it can do in use."""

    def __init__(self, stack):
        self.target = stack.enter_context(Target(answering(OK))).port
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = self.folder / "peer.ini"
        config.write_text(f"[muster]\nname = pc2\nmode = testing\n[service:x]\ntype = external\n"
                          f"readiness_probe = tcp://127.0.0.1:{self.target}\n")
        self.peer = stack.enter_context(Sidecar("-c", config, linked=False)).port

    @contextlib.contextmanager
    def begin(self, allocations):
        """A sidecar that serves; where it does not, a Failure."""
        ports = {"dns": free_port(), "forward": free_port(), "target": self.target, "peer": self.peer}
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".ini") as file:
            file.write(ALONE.format(**ports))
            file.flush()
            sidecar = Sidecar("-c", file.name, linked=False, env=allocations.env, program=SIDECAR)
            sidecar.ports = ports
            try:
                yield sidecar
            finally:
                with contextlib.redirect_stdout(sys.stderr):
                    sidecar.__exit__(None, None, None)


def sidecar_start(alone):
    def run(allocations):
        with alone.begin(allocations) as sidecar:
            try:
                sidecar.start()
                until(lambda: sidecar.get("/status").json(), "an answer", PATIENCE)
                allocations.fail(0)
                return WORKS, ""
            except (Failure, OSError, ValueError, HTTPException):
                code = sidecar.process.wait(PATIENCE)
                if code in (1, 70, 78) and SAID.search(sidecar.stderr) or code == 127:
                    return ENDED, ""
                callers = allocations.callers(SIDECAR)
                if set(callers) <= {"_start", "??"}:
                    return ENDED, ""  # a library, before main()
                if {"limit_calls", "make_filter", "export"} & set(callers) and code in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGVTALRM):
                    return RESTARTED, ""  # libseccomp 2.5 crashes, frees twice, or never returns
                return BAD, f"exit code {code}: {sidecar.stderr[-300:]!r}"

    with Allocations("muster-sidecar") as allocations, alone.begin(allocations) as sidecar:
        sidecar.start()
        count = allocations.calls()
    what = "`muster-sidecar`, start" + (f" (every {NTH * EVERY}th of its points)" if NTH * EVERY > 1 else "")
    return each(Row(what), count, run, "muster-sidecar", nth=NTH)


def talk(port):
    """One connection through a forwarded port."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        return client.recv(100)


def listen_to_events(sidecar):
    connection = sidecar.connection()
    connection.timeout = 2
    connection.request("GET", "/events")
    answer = connection.getresponse()
    answer.read(20)
    connection.close()
    return answer.status


def uses(sidecar):
    """What is done to it, by name; each gives an HTTP status or nothing."""
    found = {f"GET {path}": lambda path=path: sidecar.get(path).status for path in PATHS}
    found["GET /metrics, OpenMetrics"] = lambda: sidecar.get("/metrics", Accept="application/openmetrics-text").status
    found["HEAD /status"] = lambda: sidecar.request("/status", "HEAD").status
    found["POST /status"] = lambda: sidecar.request("/status", "POST", body="x").status
    found["GET /events"] = lambda: listen_to_events(sidecar)
    found["DNS over UDP"] = lambda: ask_bytes(sidecar.ports["dns"], question("echo"), 2)
    found["DNS over TCP"] = lambda: ask_tcp(sidecar.ports["dns"], question("echo"))
    found["a forwarded connection"] = lambda: talk(sidecar.ports["forward"])
    found["probes, addresses and peers for 0.3 s"] = lambda: time.sleep(0.3)
    return found


class Serving:
    """A sidecar that is used while allocations fail, started again when it has ended."""

    def __init__(self, alone, row):
        self.alone, self.row = alone, row
        self.allocations = Allocations("muster-sidecar")
        self.stack = contextlib.ExitStack()
        self.sidecar = None

    def renew(self):
        self.stack.close()
        self.stack = contextlib.ExitStack()
        self.allocations.reset()
        self.sidecar = self.stack.enter_context(self.alone.begin(self.allocations))
        self.sidecar.start()
        until(lambda: self.sidecar.get("/readyz/web").status == 200, "ready", PATIENCE)
        until(lambda: self.sidecar.get("/fleet").json()["hosts"][1]["state"] == "ok", "the peer is asked", PATIENCE)

    def use(self, name, number, sticky):
        """Whether an allocation failed; verdict; why."""
        if self.sidecar is None or self.sidecar.process.poll() is not None:
            self.renew()
        self.allocations.fail(number, sticky)
        status = None
        with contextlib.suppress(OSError, EOFError, Failure, IndexError, TypeError, ValueError, HTTPException):
            status = uses(self.sidecar)[name]()
        reached = bool(self.allocations.failed())
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.sidecar.process.wait(0.02)
        self.allocations.disarm()
        try:
            until(lambda: self.sidecar.get("/status").status == 200, "alive", PATIENCE)
        except (Failure, OSError, HTTPException) as error:
            code, said = self.sidecar.process.wait(PATIENCE), self.sidecar.stderr
            return reached, *((RESTARTED, "") if code == 70 and "memory" in said else
                              (BAD, f"{error}, code {code}, {said[-300:]!r}"))
        if isinstance(status, int) and status >= 500:
            return reached, ANSWERED, ""
        return reached, WORKS if status is not None or "probes" in name else ANSWERED, ""

    def all(self, name):
        self.use(name, 0, False)
        for sticky in (False, True):
            for number in itertools.count(1, EVERY) if not MOST else (1, 2, 5):
                reached, verdict, why = self.use(name, number, sticky)
                if not reached:
                    break
                self.row.points += not sticky
                self.row.take(verdict, why, f"{name}: number {number}{' and all behind it' if sticky else ''}",
                              self.allocations.callers(SIDECAR))
                if number >= 400 // NTH:
                    break


def sidecar_serving(alone):
    row = Row(f"`muster-sidecar`, while it serves (the first {400 // NTH} of each thing that is done to it)")
    serving = Serving(alone, row)
    serving.renew()
    names = list(uses(serving.sidecar))
    for name in names if not QUICK else names[5:8] + names[-3:]:
        serving.all(name)
    serving.stack.close()
    return row


def sidecar_rows():
    with contextlib.ExitStack() as stack:
        alone = Alone(stack)
        return [sidecar_start(alone), sidecar_serving(alone)]


# ---- ----


def main():
    section = Section("Allocations that fail", f"""
        {"Every allocation" if EVERY == 1 else f"One in {EVERY} of all allocations"} (malloc, calloc, realloc, what the C library and other libraries allocate for the program, and
        mmap; {'of a build in which each object of an arena is a reservation of its own' if PROGRAMS == EXACT else
               'some of them, in this short run'})
        fails in turn, once, and again with all that come behind it until the end. muster-init, musterctl and the
        sidecar's start either do all they should or end with a documented code and a line; a reload says that it could
        not be done and leaves every service as it was; a sidecar that serves answers 5xx or not at all and goes on, or
        ends with code 70, upon which muster-init starts it again; so it does where libseccomp, which takes a failing
        allocation badly, ends the sidecar's start with a fault. muster-init itself, once all is started, makes no
        allocation any more. Counted with `tests/preload/allocations.c`.""")
    rows = []
    started_row(section)
    wanted = os.environ.get("ONLY", "check wrap supervise reload ctl sidecar").split()
    for name, make in {"check": lambda: [check_row()], "wrap": lambda: [wrap_row(), profile_row()], "supervise": lambda: [supervise_row()],
                       "reload": lambda: [reload_row(section)], "ctl": lambda: [ctl_rows()],
                       "sidecar": sidecar_rows}.items():
        if name in wanted:
            print(f"    {name}", file=sys.stderr, flush=True)
            rows += make()
    section.table(["program", "points", "faults", *COLUMNS, "not reached"], [row.cells() for row in rows])
    bad = [line for row in rows for line in row.bad]
    if bad:
        section.say("Bad:\n\n" + "\n".join(f"- {line}" for line in bad))
    section.goal("faults after which it neither works nor ends or refuses as it should", "0",
                 f"{len(bad)} of {sum(row.verdicts.total() for row in rows)}", not bad,
                 "curl, SQLite: each allocation of their own tests, in turn (published)")
    section.finish()


main()
