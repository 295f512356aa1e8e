# SPDX-License-Identifier: MIT
"""muster-sidecar driven alone: these tests play muster-init, with the status page and the channel
as docs/status-page.md and common/probe_link.h lay them out, and the services, on loopback sockets.

    with Sidecar() as sidecar:
        sidecar.watch(1, "tcp://127.0.0.1:9")
        result = sidecar.result()
"""

import contextlib
import http.client
import json
import mmap
import os
import pathlib
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from lib import SIDECAR, SECONDS, Failure, check, need, open_folder, proc_state, skip, until

STATES = ("inactive waiting starting running ready unhealthy stopping backoff completed "
          "failed").split()
PHASES = "starting ready degraded draining stopping".split()
TYPES = "service oneshot external".split()
CONDITIONS = "started healthy completed".split()
PROBES = "none notify fd tcp http exec file unix log grpc".split()
ROLES = "startup readiness liveness".split()
ESSENTIAL, WANTED, AUTO, INTERNAL, DEP_CAUSE = 1, 2, 4, 8, 16

HEADER = struct.Struct("=8s8I I i 4B i 6Q 64s16s")
RECORD = struct.Struct("=I4B i 2I i 2H I 5Q 64s72s")
EDGE = struct.Struct("=2H2B2x")
WATCH = struct.Struct("=2I2H2B2x5I1024s")
DROP = struct.Struct("=2I2H")
RESULT = struct.Struct("=2IH2BI64s")
LINK_WATCH, LINK_DROP, LINK_RESULT, LINK_BEAT = 1, 2, 3, 4

assert HEADER.size == 184 and RECORD.size == 208 and EDGE.size == 8


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Page:
    """A status page in a directory, written as PID 1 does: generation odd while inside."""

    def __init__(self, directory, services, edges=(), phase="starting", host="testhost",
                 mode="container"):
        self.path = pathlib.Path(directory) / "status"
        self.names = [service["name"] for service in services]
        self.boot = now() - 5 * 10**9
        self.head = {"phase": phase, "startup_done": 0, "reaped": 3, "log_dropped": 0,
                     "replaced": 0, "host": host, "mode": mode, "exit_code": -1, "pid": os.getpid()}
        self.edges = edges
        self.changes = 0
        self.generation = 0
        self.records = [dict(self.default(), **service) for service in services]
        self.write_whole()

    def default(self):
        return {"state": "ready", "type": "service", "flags": ESSENTIAL | WANTED | AUTO,
                "probe": "none", "pid": 0, "starts": 1, "restarts": 0, "last_exit": -1, "cause": 0,
                "failures": 0, "since": self.boot + 10**9, "exited": 0, "wait_begin": self.boot,
                "start_begin": self.boot + 10**8, "ready_at": 0, "reason": ""}

    def pack_header(self):
        head, count = self.head, len(self.records)
        offset = HEADER.size + count * RECORD.size
        return HEADER.pack(b"MUSTERST", 1, self.generation, HEADER.size, RECORD.size, count, offset,
                           len(self.edges), head["replaced"], self.changes, head["pid"],
                           PHASES.index(head["phase"]), 0, 0, 0, head["exit_code"], self.boot,
                           time.time_ns() - (now() - self.boot), head["startup_done"],
                           head["reaped"], head["log_dropped"], 0, head["host"].encode(),
                           head["mode"].encode())

    def pack_record(self, record):
        return RECORD.pack(self.generation, STATES.index(record["state"]),
                           TYPES.index(record["type"]), record["flags"],
                           PROBES.index(record["probe"]), record["pid"], record["starts"],
                           record["restarts"], record["last_exit"], record["cause"], 0,
                           record["failures"], record["since"], record["exited"],
                           record["wait_begin"], record["start_begin"], record["ready_at"],
                           record["name"].encode(), record["reason"].encode())

    def bytes(self):
        edges = b"".join(EDGE.pack(self.names.index(a), self.names.index(b),
                                   CONDITIONS.index(condition), optional)
                         for a, b, condition, optional in self.edges)
        return self.pack_header() + b"".join(map(self.pack_record, self.records)) + edges

    def write_whole(self):
        new = self.path.with_name(".status.new")
        new.write_bytes(self.bytes())
        new.rename(self.path)

    def write(self):
        """The same file, changed in place."""
        self.changes += 1
        self.generation += 2
        with open(self.path, "r+b") as file, mmap.mmap(file.fileno(), 0) as page:
            page[:] = self.bytes()

    def set(self, name, **values):
        self.records[self.names.index(name)].update(values)
        self.write()

    def set_phase(self, phase):
        if phase != "starting" and not self.head["startup_done"]:
            self.head["startup_done"] = now()
        self.head["phase"] = phase
        self.write()

    def replace(self, services, **options):
        """What a reload does: another page under the same name, the old one marked."""
        other = Page(self.path.parent, services, **options)
        return other


class Answer:
    def __init__(self, answer, body):
        self.status = answer.status
        self.headers = answer.headers
        self.body = body
        self.text = body.decode("utf-8", "replace")
        self.version = answer.version

    def json(self):
        return json.loads(self.text)


class Sidecar:
    """The sidecar under test. `linked`: with a channel, as muster-init starts it."""

    def __init__(self, *args, linked=True, env=None, prefix=(), run_dir=None, listen="127.0.0.1:0", program=SIDECAR):
        self.dir = open_folder("muster-sidecar-")
        self.run_dir = pathlib.Path(run_dir or self.dir)
        self.linked = linked
        self.listen = listen
        self.prefix = list(prefix)
        self.program = str(program)
        self.args = [str(arg) for arg in args]
        self.env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                    "MUSTER_RUN_DIR": str(self.run_dir), **(env or {})}
        for name in ("MUSTER_TEST", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.link = self.process = self.port = None
        self.serial = 0

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(Failure, None, None)
            raise
        return self

    def start(self):
        fds = ()
        env = dict(self.env)
        theirs = None
        if self.linked:
            self.link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.link.settimeout(SECONDS)
            fds = (theirs.fileno(),)
            env["MUSTER_LINK_FD"] = str(theirs.fileno())
        command = self.prefix + [self.program, *self.args]
        if self.listen:
            command += ["--listen", self.listen]
        if self.linked:
            command += ["--run-dir", str(self.run_dir)]
        with open(self.dir / "stderr", "ab") as stderr:
            self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL,
                                            stderr=stderr, pass_fds=fds)
        if theirs:
            theirs.close()
        if self.listen and self.listen.endswith(":0"):
            self.port = self.wait_port()

    @property
    def stderr(self):
        return (self.dir / "stderr").read_text(errors="replace")

    @property
    def pid(self):
        return self.process.pid

    def wait_port(self):
        def look():
            found = re.search(r"serving http://.*:(\d+)/", self.stderr)
            return found or self.process.poll() is not None

        found = until(look, "muster-sidecar serves")
        check(found is not True, f"muster-sidecar has ended: {self.stderr}")
        return int(found.group(1))

    def wait(self, seconds=SECONDS):
        return self.process.wait(seconds)

    def __exit__(self, kind, error, trace):
        if self.link:
            self.link.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        said = self.stderr if (self.dir / "stderr").exists() else ""
        shutil.rmtree(self.dir, ignore_errors=True)
        if kind:
            print(f"--- muster-sidecar said\n{said}", flush=True)
        check(kind or "Sanitizer" not in said, f"sanitizer: {said}")
        return False

    # -- as muster-init --

    def watch(self, probe, target, period=100, timeout=10000, initial_delay=0, success=1, failure=3,
              service=0, role="readiness"):
        self.serial += 1
        scheme = target.partition(":")[0].removesuffix("s")
        kind = scheme if scheme in PROBES else "http"
        self.link.send(WATCH.pack(LINK_WATCH, self.serial, probe, service, ROLES.index(role),
                                  PROBES.index(kind), period, timeout, initial_delay, success,
                                  failure, target.encode()))
        return self.serial

    def drop(self, probe, serial):
        self.link.send(DROP.pack(LINK_DROP, serial, probe, 0))

    def message(self, seconds=SECONDS):
        """The next message: a dict, with type."""
        self.link.settimeout(seconds)
        data = self.link.recv(4096)
        if not data:
            raise Failure("muster-sidecar has closed the channel")
        kind = struct.unpack_from("=I", data)[0]
        if kind == LINK_BEAT:
            return {"type": "beat"}
        check(kind == LINK_RESULT and len(data) == RESULT.size, f"odd message {data!r}")
        _, serial, probe, ok, _, latency, reason = RESULT.unpack(data)
        return {"type": "result", "serial": serial, "probe": probe, "ok": bool(ok),
                "latency_us": latency, "reason": reason.split(b"\0")[0].decode()}

    def result(self, seconds=SECONDS):
        """The next result; beats are passed over."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                message = self.message(max(deadline - time.monotonic(), 0.001))
            except (socket.timeout, TimeoutError):
                raise Failure(f"no result within {seconds} s") from None
            if message["type"] == "result":
                return message

    def wait_beat(self, seconds=60):
        while self.message(seconds)["type"] != "beat":
            pass

    def wait_result(self, wanted, what, seconds=SECONDS):
        """Passes over results until one that `wanted` accepts."""
        deadline = time.monotonic() + seconds
        while True:
            result = self.result(max(deadline - time.monotonic(), 0.001))
            if wanted(result):
                return result
            check(time.monotonic() < deadline, f"not within {seconds} s: {what}; last: {result}")

    # -- as a client --

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)

    def request(self, path, method="GET", headers=None, body=None):
        connection = self.connection()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer, answer.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request(path, headers={name.replace("_", "-"): value
                                           for name, value in headers.items()})

    def raw(self, data, seconds=SECONDS):
        """Sends bytes, returns all that comes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as sock:
            sock.sendall(data)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while True:
                    part = sock.recv(65536)
                    if not part:
                        break
                    received += part
            return received

    def alive(self):
        check(self.process.poll() is None, f"muster-sidecar has ended: {self.stderr}")
        check(self.get("/livez").status == 200, "/livez")


class Target:
    """A service to be probed: `serve(socket)` is called for each connection, in its own thread."""

    def __init__(self, serve=None, family=socket.AF_INET, host=None, port=0, backlog=64):
        self.serve = serve
        self.accepted = 0
        self.stopping = False
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host or ("::1" if family == socket.AF_INET6 else "127.0.0.1"), port))
        self.socket.listen(backlog)
        self.port = self.socket.getsockname()[1]
        self.connections = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def run(self):
        while not self.stopping:
            ready, _, _ = select.select([self.socket], [], [], 0.2)
            if not ready or self.stopping:
                continue
            connection, _ = self.socket.accept()
            self.accepted += 1
            self.connections.append(connection)
            threading.Thread(target=self.handle, args=(connection,), daemon=True).start()

    def handle(self, connection):
        with contextlib.suppress(OSError):
            if self.serve:
                self.serve(connection)
                connection.close()

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        for connection in self.connections:
            connection.close()
        self.socket.close()


def read_head(connection):
    """A request's head, b"" when the client has gone."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65536)
        if not part:
            return b""
        head += part
    return head


def answering(answer):
    """A service that gives this answer to every request on a connection."""
    def serve(connection):
        while read_head(connection):
            connection.sendall(answer)

    return serve


def mute_until_closed(connection):
    """A service that takes everything and says nothing."""
    while connection.recv(65536):
        pass


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def silent_port():
    """A port nobody listens on, bound so that nobody else gets it; keep the socket."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock, sock.getsockname()[1]


def calm(ask):
    """What ask() gives, a report of /health or a tuple that ends with one, when no process of the machine waits for
    memory: other tests make it so that some do."""
    def look():
        answer = ask()
        checks = (answer[-1] if isinstance(answer, tuple) else answer)["checks"]
        waits = "memory:pressure" in checks and checks["memory:pressure"][0]["status"] == "warn"
        return None if waits else answer

    return until(look, "nobody waits for memory", 120)


def switches(pid):
    """Voluntary context switches of a process so far: how often it went to sleep."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M).group(1))


def at_rest(pid):
    """Waits until the process has slept through a quarter of a second; returns switches(pid)."""
    def look():
        before = switches(pid)
        time.sleep(0.25)
        return switches(pid) if proc_state(pid) == "S" and switches(pid) == before else None

    return until(look, "the process comes to rest")


def resident(pid, kind="VmRSS"):
    """Resident memory in kB."""
    return int(re.search(rf"^{kind}:\s+(\d+)",
                         pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def own_memory(pid):
    """Resident memory in kB that mirrors no file: of those the kernel and the sidecar drop what was not used for long,
    and it comes back page by page."""
    return resident(pid, "RssAnon")


def in_network_namespace():
    """Goes on in mount and network namespaces of our own, where /etc/resolv.conf and /etc/hosts are
    ours to write and port 53 is free; skips where that is refused. Returns their directory."""
    directory = os.environ.get("SIDECARLIB_NAMESPACE")
    if directory:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        path = pathlib.Path(directory)
        for name in ("resolv.conf", "hosts"):
            (path / name).write_text("127.0.0.1 localhost\n::1 localhost\n" if name == "hosts" else
                                     "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
            subprocess.run(["mount", "--bind", path / name, f"/etc/{name}"], check=True)
        return path
    for program in ("unshare", "ip", "mount"):
        need(program)
    words = ["unshare", "--map-root-user", "--mount", "--net"]
    if subprocess.run(words + ["true"], capture_output=True, check=False).returncode:
        skip("network namespaces are not permitted here")
    with tempfile.TemporaryDirectory(prefix="muster-ns-") as directory:
        os.chmod(directory, 0o755)
        code = subprocess.run(words + [sys.executable, *sys.argv], check=False,
                              env=os.environ | {"SIDECARLIB_NAMESPACE": directory}).returncode
    sys.exit(code)


class NameServer:
    """DNS on 127.0.0.1:53. `names` maps a name to addresses (none: NODATA), to None (NXDOMAIN), or to
    "silent" (no answer). Names that are not in it do not exist."""

    def __init__(self, names):
        self.names = names
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            answer = self.answer(query)
            if answer:
                self.socket.sendto(answer, client)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, kind = ".".join(labels), struct.unpack_from(">H", query, at + 1)[0]
        self.asked.append(name)
        addresses = self.names.get(name)
        if addresses == "silent":
            return None
        family = socket.AF_INET if kind == 1 else socket.AF_INET6
        records = b""
        count = 0
        for address in addresses or ():
            if (":" in address) == (kind == 28):
                data = socket.inet_pton(family, address)
                records += struct.pack(">HHHIH", 0xc00c, kind, 1, 1, len(data)) + data
                count += 1
        code = 3 if addresses is None else 0
        head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0)
        return head + query[12:at + 5] + records
