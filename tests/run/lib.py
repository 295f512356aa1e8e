# SPDX-License-Identifier: MIT
"""What the run tests share: the real programs, started as a user would, and watched from outside.

A test is a program that keeps one promise or fails: it exits 0, 77 with a printed reason when the
machine cannot show it, anything else otherwise. Its docstring states the promise. The usual form:

    from lib import Init, equal, tool
    with Init("--", tool("misbehave"), "exit", "3") as init:
        equal(init.wait(), 3, "exit code")

Leaving the `with` block ends what still runs and fails when a process of the run survives.
Nothing here sleeps for a fixed time to let something happen: `until` looks again and again, and
gives up with a sentence.
"""

import atexit
import contextlib
import fcntl
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("MUSTER_BUILD", ROOT / "build")).resolve()
INIT = BUILD / "muster-init"
CTL = BUILD / "musterctl"
SIDECAR = pathlib.Path(os.environ.get("MUSTER_TESTED_SIDECAR", BUILD / "muster-sidecar"))

SECONDS = 20  # patience with one event; a loaded machine is no failure
UNREACHABLE = 6  # musterctl's exit code where there is no init
IS_ROOT = os.geteuid() == 0


_claims = []  # of ports, as names of unix sockets: they end with the process, and each network has its own


class Failure(Exception):
    """A promise that was not kept."""


def skip(reason):
    print(f"skip: {reason}")
    sys.stdout.flush()
    os._exit(77)


def fail(message):
    raise Failure(message)


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(actual, expected, what):
    if actual != expected:
        raise Failure(f"{what}: {actual!r}, not {expected!r}")


def contains(text, part, what):
    if part not in text:
        raise Failure(f"{what}: {part!r} is not in {text!r}")


def matches(text, pattern, what):
    if not re.search(pattern, text, re.M):
        raise Failure(f"{what}: nothing like {pattern!r} in {text!r}")


def until(condition, what, seconds=SECONDS):
    """Waits until condition() is true and returns what it gave; `what` may be a function, too."""
    deadline = time.monotonic() + seconds
    pause = 0.001
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def tool(name):
    path = BUILD / "tools" / name
    if not path.exists():
        fail(f"{path} is not built (make tools)")
    return str(path)


def called(name):
    """muster-init by another name: a symbolic link, as users make it."""
    folder = BUILD / "names"
    folder.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (folder / name).symlink_to(INIT)
    return str(folder / name)


def need(program):
    """The path of a program of the machine, or the test is skipped."""
    return shutil.which(program) or skip(f"{program} is not installed")


def need_root():
    if not IS_ROOT:
        skip("needs root")


def reliability(name):
    """The test is the short version of tests/reliability/NAME.py."""
    script = str(ROOT / "tests" / "reliability" / f"{name}.py")
    os.execv(sys.executable, [sys.executable, "-B", script, "--quick"])


def open_folder(prefix):
    """A temporary folder that others may read; it is gone when the test is."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    path.chmod(0o755)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def free_port(host="127.0.0.1"):
    """A port that nobody has at the moment, neither for TCP nor for UDP, and that no other test gets before this one
    has ended, nor, where it can be, the kernel gives to somebody by itself."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10000, min(low, 30000) if low > 15000 else 65536)
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError), socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            claim.bind(f"\0muster-test-port-{port}")
            tcp.bind((host, port))
            udp.bind((host, port))
            _claims.append(claim)
            return port
        claim.close()


def read_now(fd):
    """What there is to be read from a descriptor that does not block."""
    found = b""
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(fd, 65536):
            found += piece
    return found


class Terminal:
    """A pseudo-terminal: .slave for the programs, and a side to type on and read from."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.text = ""
        self.seen = 0

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.master, 65536):
                self.text += data.decode("utf-8", "replace")
        return self.text

    def expect(self, pattern, seconds=SECONDS):
        """Waits for text behind what was expected last; returns the match."""
        found = until(lambda: re.compile(pattern, re.M).search(self.read(), self.seen),
                      lambda: f"{pattern!r} on the terminal, which shows {self.text!r}", seconds)
        self.seen = found.end()
        return found

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self):
        os.close(self.master)
        os.close(self.slave)


# ---- processes as /proc shows them ----


def read_proc(pid, name):
    """A file of /proc/PID as bytes, b"" when the process is gone or foreign."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def proc_state(pid):
    """The letter of the process's state, "" when it is gone."""
    stat = read_proc(pid, "stat").decode("utf-8", "replace")
    return stat.rpartition(")")[2].split()[0] if stat else ""


def proc_parent(pid):
    stat = read_proc(pid, "stat").decode("utf-8", "replace")
    return int(stat.rpartition(")")[2].split()[1]) if stat else 0


def proc_status(pid):
    """/proc/PID/status as a dict of strings."""
    lines = read_proc(pid, "status").decode("utf-8", "replace").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def is_pending(pid, signo):
    """Whether a signal that was sent to the process has not been taken yet."""
    status = proc_status(pid)
    return any(int(status.get(key, "0"), 16) >> (signo - 1) & 1 for key in ("ShdPnd", "SigPnd"))


def proc_children(pid):
    """Direct children, zombies included."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in task.read_text().split()]
    return found


def open_files(pid):
    """What the process's descriptors lead to, {number: text}; one that is closed meanwhile is left out."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return found


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def pid_namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


_namespaces = None


def namespace_command():
    """The words that start a program as PID 1 of a new namespace; skips where that is refused."""
    global _namespaces
    if _namespaces is None:
        need("unshare")
        words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
        if not IS_ROOT:
            words.insert(1, "--map-root-user")
        probe = subprocess.run(words + ["true"], capture_output=True, check=False)
        _namespaces = words if probe.returncode == 0 else []
    if not _namespaces:
        skip("PID namespaces are not permitted here")
    return _namespaces


# ---- a running muster-init ----


class Init:
    """muster-init with these arguments, as PID 1 of its own namespace or (pid1=False) a subreaper.

    {dir} in arguments, prefix and config stands for the run's own directory.
    config      text of a muster.ini: written and given with -c
    env         added to a small, fixed environment
    prefix      words that start muster-init, such as ["setpriv", "--reuid", "1000"]
    program     another program in its place (a copy or link of muster-init)
    stdin       as for subprocess; default /dev/null
    fds         descriptors to pass on
    setup       called in the first process before anything is executed
    stdout, stderr  instead of files that .stdout and .stderr read
    """

    def __init__(self, *args, config=None, pid1=True, env=None, prefix=(), program=None,
                 stdin=subprocess.DEVNULL, fds=(), setup=None, stdout=None, stderr=None, cwd=None):
        self.dir = open_folder("muster-test-")
        self.args = [self.fill(arg) for arg in args]
        self.pid1 = pid1
        self.prefix = [self.fill(word) for word in prefix]
        self.program = str(program or INIT)
        self.marker = f"MTEST={uuid.uuid4()}"
        self.popen_options = {"stdin": stdin, "pass_fds": fds, "preexec_fn": setup, "cwd": cwd}
        self.outputs = {"stdout": stdout, "stderr": stderr}
        self.process = None
        self.pid = None
        self.ended = None
        self.namespace = ""
        self.run_dir = self.dir / "run"
        self.env = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "LANG": "C.UTF-8",
                    "HOME": "/", "MUSTER_RUN_DIR": str(self.run_dir), "MTEST": self.marker[6:]}
        if "MUSTER_TEST" in os.environ:
            self.env["MUSTER_TEST"] = os.environ["MUSTER_TEST"]  # how run.py finds what we lose
        if any("strace" in word for word in self.prefix):
            self.env["ASAN_OPTIONS"] = "detect_leaks=0"  # cannot be had under ptrace
        self.env.update(env or {})
        if config is not None:
            self.args = ["-c", str(self.write("muster.ini", self.fill(config)))] + self.args

    # -- files --

    def fill(self, text):
        """Puts the run's own, fresh directory in for {dir}."""
        return str(text).replace("{dir}", str(self.dir))

    def path(self, name):
        return str(self.dir / name)

    def write(self, name, text, mode=0o644):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")  # a reader finds the old or the new, never half of it
        new.write_text(text)
        new.chmod(mode)
        new.rename(path)
        return path

    def read(self, name):
        """The text of a file, "" while it does not exist."""
        try:
            return (self.dir / name).read_text(errors="replace")
        except OSError:
            return ""

    @property
    def stdout(self):
        return self.read("stdout")

    @property
    def stderr(self):
        return self.read("stderr")

    # -- life --

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def start(self):
        command = self.prefix + [self.program] + self.args
        if self.pid1:
            command = namespace_command() + command
        with contextlib.ExitStack() as stack:
            streams = {name: given if given is not None else
                       stack.enter_context(open(self.dir / name, "ab"))
                       for name, given in self.outputs.items()}
            self.process = subprocess.Popen(command, env=self.env, **streams, **self.popen_options)
        self.pid = self.find_pid()
        self.namespace = pid_namespace(self.pid) if self.pid1 and self.pid else ""

    def find_pid(self):
        """The process that is, or becomes, muster-init; None when it has ended already."""
        if not self.pid1:
            return self.process.pid

        def child():
            found = proc_children(self.process.pid)
            return found or self.process.poll() is not None

        found = until(child, "unshare forks")
        return found[0] if isinstance(found, list) else None

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds=SECONDS):
        """The exit code, 128 + n for a signal."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"muster-init still runs after {seconds} s") from None
        return code if code >= 0 else 128 - code

    def signal(self, signo):
        os.kill(self.pid, signo)

    def __exit__(self, kind, error, trace):
        survivors = []
        try:
            if self.process:
                survivors = self.end()
            if kind or survivors:
                self.show()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
        if survivors and not kind:
            raise Failure(f"left behind: {survivors}")
        return False

    def end(self):
        """Kills what runs. The survivors: only where init had ended by itself are they its fault."""
        was_running = self.running()
        if was_running:
            for pid in [self.pid, self.process.pid]:
                with contextlib.suppress(ProcessLookupError, TypeError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        with contextlib.suppress(Failure):
            until(lambda: not self.pids(), "all are gone", 0.2 if was_running else 2)
        survivors = [self.describe(pid) for pid in self.pids()]
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return [] if was_running else survivors

    def show(self):
        """For the one who reads a failure: what was run and what it said."""
        print(f"--- {self.program} {' '.join(self.args)}", file=sys.stderr)
        for name in ("muster.ini", "stdout", "stderr"):
            if self.read(name):
                print(f"--- {name}\n{self.read(name)}", file=sys.stderr)

    # -- its processes --

    def pids(self):
        """Live processes of this run, wherever they are, seen by the marker in their environment."""
        marker = self.marker.encode()
        return [pid for pid in all_pids() if marker in read_proc(pid, "environ").split(b"\0")]

    def zombies(self):
        """Dead processes that have not been waited for: of the namespace, or children of init."""
        pids = all_pids() if self.namespace else proc_children(self.pid)
        return [pid for pid in pids if proc_state(pid) == "Z" and
                (not self.namespace or pid_namespace(pid) == self.namespace)]

    @staticmethod
    def describe(pid):
        command = read_proc(pid, "cmdline").replace(b"\0", b" ").decode("utf-8", "replace").strip()
        return f"{pid} {command}"

    def no_zombies(self, seconds=SECONDS):
        until(lambda: not self.zombies(), "no zombies", seconds)

    def inside(self, pid):
        """A pid as init sees it."""
        return int(proc_status(pid).get("NSpid", "0").split()[-1])

    def outside(self, pid):
        """A pid of init's world as we see it; None when there is none."""
        if not self.namespace:
            return pid
        for candidate in all_pids():
            if pid_namespace(candidate) == self.namespace and \
                    proc_status(candidate).get("NSpid", "").split()[-1:] == [str(pid)]:
                return candidate
        return None

    # -- events --

    def wait_file(self, name, seconds=SECONDS):
        """Waits until a file of the run's directory exists and is not empty; returns its text."""
        return until(lambda: self.read(name), f"{name} is written", seconds)

    def wait_line(self, pattern, stream="stderr", seconds=SECONDS):
        """Waits for a line on a stream; returns the match."""
        def look():
            return re.search(pattern, self.read(stream), re.M)

        return until(look, f"{pattern!r} on {stream}", seconds)

    def json(self, name, seconds=SECONDS):
        return json.loads(self.wait_file(name, seconds))

    # -- musterctl --

    def ctl(self, *args, seconds=SECONDS):
        return subprocess.run([str(CTL), *map(str, args)], env=self.env, capture_output=True,
                              text=True, timeout=seconds, check=False)

    def services(self):
        """Services by name as `musterctl status --json` has them, once init is there to be asked."""
        def ask():
            result = self.ctl("status", "--json")
            check(result.returncode in (0, 1) or result.returncode == UNREACHABLE and self.running(),
                  f"musterctl status: exit code {result.returncode}, {result.stderr.strip()!r}")
            return result.stdout

        return {service["name"]: service for service in json.loads(until(ask, "init answers"))["services"]}

    def wait_state(self, name, *states, seconds=SECONDS):
        """Waits until a service is in one of the states; returns it."""
        def look():
            service = self.services().get(name)
            return service if service and service["state"] in states else None

        return until(look, f"{name} is {' or '.join(states)}", seconds)


    def control(self):
        """A connection to the control socket, for packets made by hand."""
        path = self.run_dir / "control.sock"
        until(path.exists, "the control socket is there")
        return Control(str(path))

    def events(self):
        """A connection that gets every change of state from now on."""
        control = self.control()
        equal(control.ask(EVENTS)[0], DONE, "answer to a subscription")
        return control


# ---- the control socket, packet by packet (common/wire.h) ----

PING, START, STOP, RESTART, SIGNAL, RELOAD, SHUTDOWN, EVENTS, LOGS = range(1, 10)
DONE, REFUSED, NOT_FOUND, FAILED, UNKNOWN, EVENT, LINE, LOST = range(64, 72)
STATES = "inactive waiting starting running ready unhealthy stopping backoff completed failed".split()


class Control:
    """What musterctl is made of; in a `with`, or until it is dropped."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(path)  # waits where too many come at once
        self.socket.settimeout(SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, body=b"", version=1):
        self.socket.send(struct.pack("=HHI", version, kind, len(body)) + body)

    def receive(self):
        """(type, body) of the next packet; (None, b"") when init closed the connection."""
        try:
            packet = self.socket.recv(8192)
        except ConnectionError:
            packet = b""
        except TimeoutError:
            raise Failure("no answer from muster-init") from None
        if not packet:
            return None, b""
        _, kind, size = struct.unpack_from("=HHI", packet)
        equal(len(packet), 8 + size, "length of a packet")
        return kind, packet[8:]

    def ask(self, kind, body=b""):
        self.send(kind, body)
        return self.receive()

    def ask_service(self, kind, name, number=0):
        return self.ask(kind, struct.pack("=i64s", number, name.encode()))

    def event(self):
        """The next change: a dict; None when init has ended."""
        kind, body = self.receive()
        if kind is None:
            return None
        equal(kind, EVENT, "type of packet")
        time_ns, _, index, old, state, pid, code, name, reason = struct.unpack("=QQHBBii64s72s4x", body)
        service = None if index == 0xffff else name.split(b"\0")[0].decode()
        return {"seconds": time_ns / 1e9, "service": service, "old": old, "number": state, "pid": pid,
                "state": STATES[state] if service else None, "last_exit": code,
                "reason": reason.split(b"\0")[0].decode()}

    def until(self, name, *states):
        """Reads on until that service comes into one of these states; returns the event."""
        while True:
            event = self.event()
            check(event, f"muster-init ended before {name} was {' or '.join(states)}")
            if event["service"] == name and event["state"] in states:
                return event


class Result:
    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr


def run_init(*args, **options):
    """Runs muster-init to its end."""
    with Init(*args, **options) as init:
        code = init.wait()
        return Result(code, init.stdout, init.stderr)
