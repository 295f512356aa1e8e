# SPDX-License-Identifier: MIT
"""A sidecar in another container ([sidecar] external = yes) probes as one that init starts: it comes before
init or after, dies, is replaced; init restarts; and nobody else can take its place."""
import contextlib
import os
import re
import signal
import struct

from lib import (DONE, FAILED, PING, REFUSED, Init, check, contains, equal, free_port, namespace_command,
                 need, need_root, proc_children, proc_status, tool, until)
from sidecarlib import RESULT, LINK_RESULT, Sidecar

need_root()
SIDECAR = 11  # the request WIRE_SIDECAR
USER, STRANGER = 65532, 12345
M = tool("misbehave")
PORT = free_port()
CONFIG = f"""
[sidecar]
external = yes
user = {USER}
[address:place]
port = {PORT}
fallback = 127.0.0.1
[service:web]
command = {M} http {PORT} {{dir}}/status pid {{dir}}/pids forever
readiness_probe = http://127.0.0.1:{PORT}/
readiness_probe_period = 30ms
readiness_probe_failure_threshold = 1
readiness_probe_timeout = 20s
liveness_probe = tcp://127.0.0.1:{PORT}
liveness_probe_period = 30ms
[service:user]
command = {M} forever
depends_on = web, address:place
"""


def as_user(uid):
    return [need("setpriv"), "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]


class Elsewhere(Sidecar):
    """A sidecar with processes and a user of its own, that shares the directory."""

    def __init__(self, init, uid=USER):
        super().__init__(linked=False, run_dir=init.run_dir, prefix=[*namespace_command(), *as_user(uid)])

    def end(self):
        for pid in proc_children(self.pid):
            os.kill(pid, signal.SIGKILL)
        self.wait()

    def __exit__(self, kind, error, trace):
        if self.process:
            self.end()
        return super().__exit__(kind, error, trace)


@contextlib.contextmanager
def being(uid):
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def memory(pid):
    return int(proc_status(pid)["VmRSS"].split()[0])


def strangers(init):
    with being(STRANGER), init.control() as client:
        kind, text = client.ask(SIDECAR)
        equal((kind, b"12345" in text), (REFUSED, True), "answer to a stranger")
        # what a sidecar would say is a malformed request to the control socket
        client.socket.send(RESULT.pack(LINK_RESULT, 1, 0, 1, 0, 0, b""))
        check(client.receive()[0] != DONE, "a stranger's verdict")
    equal(init.services()["web"]["state"], "starting", "web, with no sidecar")


def impostor(init):
    """One who has the place talks nonsense for long, and cannot even keep it."""
    with being(USER), init.control() as first, init.control() as second:
        equal(first.ask(SIDECAR)[0], DONE, "answer to the first")
        equal(second.ask(SIDECAR), (FAILED, b"another sidecar is connected"), "answer to a second")
        equal(second.ask(PING)[0], DONE, "and what it asks else")
        orders = first.socket.recv(8192)
        check(len(orders) > 8, "it is told what to do")
        rounds = []
        for turn in range(20):
            for count in range(1000):
                number = turn * 1000 + count
                noise = (os.urandom(number % 300 + 1), struct.pack("=I", number % 9) * (number % 100 + 1),
                         RESULT.pack(LINK_RESULT, 10**6 + number, number % 65536, 1, 0, 0, b"x" * 64))
                with contextlib.suppress(BlockingIOError):
                    first.socket.send(noise[number % 3], 0x40)  # MSG_DONTWAIT
            equal(second.ask(PING)[0], DONE, "init answers meanwhile")
            rounds.append(memory(init.pid))
        check(rounds[-1] - rounds[4] < 64, f"kB of init meanwhile: {rounds}")
    equal(init.services()["web"]["state"], "starting", "web, for all the lies")


def goes(init, sidecar):
    """Orders are followed, verdicts believed."""
    init.wait_state("user", "running")
    until(lambda: sidecar.get("/readyz").status == 200, "/readyz is 200")
    # the page can be read at once, the addresses are told over the channel
    place = until(lambda: (answer := sidecar.get("/resolve/place")).status == 200 and answer, "the address book").json()
    equal((place["host"], place["port"]), ("127.0.0.1", PORT), "address")
    with init.events() as events:
        init.write("status", "503 Service Unavailable")
        event = events.until("web", "unhealthy")
        contains(event["reason"], "503", "reason")
        init.write("status", "200 OK")
        events.until("web", "ready")
    until(lambda: sidecar.get("/readyz").status == 200, "/readyz is 200 again")
    probe = next(s for s in sidecar.get("/status").json()["services"] if s["name"] == "web")
    check(probe["probe"]["latency_seconds"] is not None, "what the sidecar knows of its probe")
    equal(probe["memory_bytes"], None, "of processes that it cannot see")


with Init(config=CONFIG, setup=lambda: os.umask(0o022)) as init:
    init.wait_state("web", "starting")
    strangers(init)
    impostor(init)
    for turn in range(2):  # the first one, and one in its place
        with Elsewhere(init) as sidecar:
            goes(init, sidecar)
            with Elsewhere(init, 0) as other:
                until(lambda: "another sidecar is connected" in other.stderr, "a second one is told")
                equal(other.get("/readyz").status, 200, "what it sees")
            before = init.services()
            sidecar.end()
    after = init.services()
    for name in ("web", "user"):
        equal([after[name][what] for what in ("state", "pid", "starts")],
              [before[name][what] for what in ("state", "pid", "starts")], f"{name} without a sidecar")
    with Elsewhere(init) as sidecar:
        goes(init, sidecar)
        init.signal(signal.SIGKILL)
        init.process.wait()
        until(lambda: sidecar.get("/readyz").status == 503, "/readyz without init")
        equal(sidecar.get("/livez").status, 200, "/livez without init")
        until(lambda: "no status page" in sidecar.get("/readyz?verbose").text, "what it says")
        init.start()
        goes(init, sidecar)
        # it is not init's: init ends without it, and it does not end with init
        init.signal(signal.SIGTERM)
        equal(init.wait(), 0, "exit code")
        until(lambda: sidecar.get("/readyz").status == 503, "/readyz after the end")
        equal(len(re.findall("tells what to probe", sidecar.stderr)), 2, "connections of one sidecar")
    with Elsewhere(init) as sidecar:  # and it may be there first
        init.start()
        goes(init, sidecar)
        equal(init.ctl("shutdown").returncode, 0, "exit code of musterctl shutdown")
        equal(init.wait(), 0, "exit code")
