# SPDX-License-Identifier: MIT
"""A stand-in for muster-init as musterctl sees it: a status page, and a control socket that answers
what a test wants, however wrong. The layouts are those of docs/status-page.md and
docs/control-protocol.md, written down a second time on purpose."""

import os
import pathlib
import shutil
import socket
import struct
import tempfile
import threading
import time

STATES = ("inactive waiting starting running ready unhealthy stopping backoff completed "
          "failed").split()
PHASES = "starting ready degraded draining stopping".split()
ESSENTIAL, WANTED, AUTO, INTERNAL, CAUSE = 1, 2, 4, 8, 16

HEADER = struct.Struct("=8s9Ii4Bi6Q64s16s")
RECORD = struct.Struct("=I4BiIIiHHI5Q64s72s")
EDGE = struct.Struct("=HHBB2x")
assert (HEADER.size, RECORD.size, EDGE.size) == (184, 208, 8)

PING, START, STOP, RESTART, SIGNAL, RELOAD, SHUTDOWN, EVENTS, LOGS = range(1, 10)
DONE, REFUSED, NOT_FOUND, FAILED, UNKNOWN, EVENT, LINE, LOST = range(64, 72)


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def service(name, state="ready", pid=0, flags=ESSENTIAL | WANTED | AUTO, reason=b"", cause=0,
            times=(0, 0, 0), starts=1, last_exit=-1, kind=0):
    """The bytes of a record; times are ns of CLOCK_MONOTONIC."""
    return RECORD.pack(0, STATES.index(state), kind, flags, 0, pid, starts, 0, last_exit, cause, 0,
                       0, now(), 0, *times, name.encode() if isinstance(name, str) else name,
                       reason)


def page(services, edges=(), phase="ready", pid=0, boot=None, startup_done=None, host=b"fake"):
    boot = boot or now()
    edge_offset = HEADER.size + len(services) * RECORD.size
    header = HEADER.pack(b"MUSTERST", 1, 0, HEADER.size, RECORD.size, len(services), edge_offset,
                         len(edges), 0, 1, pid, PHASES.index(phase), 0, 0, 0, -1, boot,
                         time.time_ns(), boot if startup_done is None else startup_done, 0, 0, 0,
                         host, b"container")
    return header + b"".join(services) + b"".join(EDGE.pack(*edge) for edge in edges)


def message(kind, body=b"", version=1, size=None):
    return struct.pack("=HHI", version, kind, len(body) if size is None else size) + body


def event(name, old, new, reason=b"", pid=0):
    return message(EVENT, struct.pack("=QQHBBii64s72s", now(), time.time_ns(), 0, STATES.index(old),
                                      STATES.index(new), pid, -1, name, reason) + bytes(4))


def line(name, text):
    return message(LINE, struct.pack("=QHB5x64s", time.time_ns(), 0, 1, name) + text)


class FakeInit:
    """A runtime directory with a page and a socket.

    answer(type, body) gives the packets to send for a request; None closes the connection, and so
    does a None among the packets. `serve=False`: nobody listens.
    """

    def __init__(self, services=(), answer=lambda kind, body: [message(DONE)], serve=True, **header):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="muster-fake-"))
        self.write_page(services, **header)
        self.answer = answer
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.dir / "control.sock"))
        if serve:
            self.listener.listen(16)
            threading.Thread(target=self.accept, daemon=True).start()
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
                packet = client.recv(8192)
                if len(packet) < 8:
                    return
                kind, body = struct.unpack("=HHI", packet[:8])[1], packet[8:]
                self.requests.append((kind, body))
                for reply in self.answer(kind, body) or [None]:
                    if reply is None:
                        return
                    client.send(reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        shutil.rmtree(self.dir)
