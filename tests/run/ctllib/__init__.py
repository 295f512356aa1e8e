# SPDX-License-Identifier: MIT
"""A stand-in for muster-init as musterctl sees it: a status page, and a control socket that answers
what a test wants, however wrong. The layouts are those of docs/status-page.md and
docs/control-protocol.md, written down a second time on purpose."""

import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from lib import CTL, SECONDS

STATES = ("inactive waiting starting running ready unhealthy stopping backoff completed "
          "failed").split()
PHASES = "starting ready degraded draining stopping".split()
ESSENTIAL, WANTED, AUTO, INTERNAL, CAUSE = 1, 2, 4, 8, 16

HEADER = struct.Struct("=8s9Ii4Bi6Q64s16s")
RECORD = struct.Struct("=I4BiIIiHHI5Q64s72s")
EDGE = struct.Struct("=HHBB2x")

PING, START, STOP, RESTART, SIGNAL, RELOAD, SHUTDOWN, EVENTS, LOGS = range(1, 10)
DONE, REFUSED, NOT_FOUND, FAILED, UNKNOWN, EVENT, LINE, LOST = range(64, 72)


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def service(name, state="ready", pid=0, flags=ESSENTIAL | WANTED | AUTO, reason=b"", cause=0,
            times=(0, 0, 0), last_exit=-1, kind=0):
    """The bytes of a record; `times` are when it was wanted, began to start, and was ready."""
    return RECORD.pack(0, STATES.index(state), kind, flags, 0, pid, 1, 0, last_exit, cause, 0, 0,
                       now(), 0, *times, name.encode() if isinstance(name, str) else name, reason)


def page(services, edges=(), phase="ready", pid=0, boot=None, startup_done=None, host=b"fake", beat=0):
    """The bytes of a page; an edge is (from, to, condition, optional). `beat`: the sidecar was heard then, and is the
    last of the services."""
    boot = boot or now()
    header = HEADER.pack(b"MUSTERST", 1, 0, HEADER.size, RECORD.size, len(services),
                         HEADER.size + len(services) * RECORD.size, len(edges), 0, 1, pid,
                         PHASES.index(phase), beat != 0, 0, 0, -1, boot, time.time_ns(),
                         boot if startup_done is None else startup_done, 0, 0, beat, host,
                         b"container")
    return header + b"".join(services) + b"".join(EDGE.pack(*edge) for edge in edges)


def message(kind, body=b"", version=1, size=None):
    return struct.pack("=HHI", version, kind, len(body) if size is None else size) + body


def event(name, old, new, reason=b"", pid=0):
    return message(EVENT, struct.pack("=QQHBBii64s72s4x", now(), time.time_ns(), 0,
                                      STATES.index(old), STATES.index(new), pid, -1, name, reason))


def line(name, text):
    return message(LINE, struct.pack("=QHB5x64s", time.time_ns(), 0, 1, name) + text)


class FakeInit:
    """A runtime directory with a page and a socket.

    answer(type, body) gives the packets to send for a request; it is the end of the connection
    when it gives none, or a None among them. listen=False: nobody listens on the socket.
    """

    def __init__(self, services=(), answer=lambda kind, body: [message(DONE)], listen=True,
                 **header):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="muster-fake-"))
        self.write_page(services, **header)
        self.answer = answer
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.dir / "control.sock"))
        self.thread = threading.Thread(target=self.accept, daemon=True)
        if listen:
            self.listener.listen(16)
            self.thread.start()
        else:
            self.listener.close()

    def write_page(self, services, **header):
        """Puts a page in place as init does: under another name first."""
        (self.dir / "new").write_bytes(page(services, **header))
        os.rename(self.dir / "new", self.dir / "status")

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            while True:
                try:
                    packet = client.recv(8192)
                except ConnectionError:
                    return
                if len(packet) < 8:
                    return
                kind = struct.unpack("=HHI", packet[:8])[1]
                self.requests.append((kind, packet[8:]))
                for reply in self.answer(kind, packet[8:]) or [None]:
                    if reply is None:
                        return
                    client.send(reply)

    def environment(self):
        return os.environ | {"MUSTER_RUN_DIR": str(self.dir)}

    def ctl(self, *args, seconds=SECONDS):
        return subprocess.run([CTL, *args], env=self.environment(), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=seconds, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.thread.is_alive():
            # before the next one's listener has the same number: the thread may be about to accept from it
            self.listener.shutdown(socket.SHUT_RDWR)
            self.thread.join()
        self.listener.close()
        shutil.rmtree(self.dir)
