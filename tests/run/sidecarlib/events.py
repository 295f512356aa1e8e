# SPDX-License-Identifier: MIT
"""Following /events, and playing the control socket of an init that has something to tell."""

import pathlib
import select
import socket
import struct
import time

from lib import SECONDS, Failure, check, equal

from . import PHASES, STATES, now

EVENTS, DONE, EVENT, LOST = 8, 64, 69, 71
SYSTEM, ADDRESS = 0xffff, 0xfffe
WIRE = struct.Struct("=HHI")
WIRE_EVENT = struct.Struct("=2QH2B2i64s72s4x")


class Stream:
    """A client of /events. `head` is the head of the answer, `status` its number. `warnings`: also of what goes on in
    the machine, where other tests may use up the memory."""

    def __init__(self, sidecar, last=None, method="GET", host="127.0.0.1", version="1.1", receive=None, warnings=False):
        self.warnings = warnings
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(SECONDS)
        self.socket.connect((host, sidecar.port))
        extra = f"Last-Event-ID: {last}\r\n" if last is not None else ""
        self.socket.sendall(f"{method} /events HTTP/{version}\r\nHost: {host}\r\n{extra}\r\n".encode())
        self.raw = self.text = b""
        while b"\r\n\r\n" not in self.raw:
            part = self.socket.recv(4096)
            check(part, "closed before an answer came")
            self.raw += part
        head, self.raw = self.raw.split(b"\r\n\r\n", 1)
        self.head = head.decode()
        self.status = int(self.head.split()[1])
        self.chunked = "chunked" in self.head.lower()
        self.beats, self.last, self.retry, self.closed = 0, None, None, False
        self.queue = []
        self.blocks()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def header(self, name):
        return next((line.split(": ", 1)[1] for line in self.head.split("\r\n") if line.lower().startswith(name)),
                    None)

    def unchunk(self):
        while b"\r\n" in self.raw:
            size, rest = self.raw.split(b"\r\n", 1)
            size = int(size, 16)
            if len(rest) < size + 2:
                return
            equal(rest[size:size + 2], b"\r\n", "the end of a chunk")
            self.text, self.raw = self.text + rest[:size], rest[size + 2:]

    def blocks(self):
        if self.chunked:
            self.unchunk()
        else:
            self.text, self.raw = self.text + self.raw, b""
        while b"\n\n" in self.text:
            block, self.text = self.text.split(b"\n\n", 1)
            self.take(block.decode())

    def take(self, block):
        event = {}
        for line in block.split("\n"):
            key, _, value = line.partition(":")
            if not key:
                self.beats += 1
            event[key] = value.lstrip(" ")
        self.last = event.get("id", self.last)
        self.retry = event.get("retry", self.retry)
        if "data" in event and (self.warnings or event["event"] != "warn"):
            self.queue.append(event)

    def pump(self, seconds):
        """Reads what there is within that time; False: nothing came."""
        ready, _, _ = select.select([self.socket], [], [], seconds)
        if not ready or self.closed:
            return False
        try:
            part = self.socket.recv(65536)
        except ConnectionError:
            part = b""
        self.closed = not part
        self.raw += part
        self.blocks()
        return True

    def wait(self, condition, what, seconds=SECONDS):
        deadline = time.monotonic() + seconds
        while not condition():
            check(not self.closed, f"{what}: the stream has ended")
            if time.monotonic() > deadline:
                raise Failure(f"{what}: not within {seconds} s")
            self.pump(0.5)

    def next(self, seconds=SECONDS):
        """The next event: {"id", "event", "data"}."""
        self.wait(lambda: self.queue, "an event", seconds)
        return self.queue.pop(0)

    def wait_end(self):
        """Until the server has closed it, with the last chunk where it is sent in chunks."""
        deadline = time.monotonic() + SECONDS
        while not self.closed:
            check(time.monotonic() < deadline, "the stream does not end")
            self.pump(0.5)

    def ended(self):
        self.pump(0.1)
        return self.closed


class ControlSocket:
    """The control socket of an init, in this directory."""

    def __init__(self, directory):
        path = pathlib.Path(directory) / "control.sock"
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(path))
        path.chmod(0o666)
        self.listener.listen(8)
        self.listener.settimeout(SECONDS)
        self.client = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()
        self.listener.close()

    def hang_up(self):
        if self.client:
            self.client.close()
        self.client = None

    def is_asked(self):
        return bool(select.select([self.listener], [], [], 0)[0])

    def is_left(self):
        return bool(select.select([self.client], [], [], 0)[0]) and not self.client.recv(4096)

    def accept(self):
        """Takes the subscription, and says that it is taken."""
        self.client = self.listener.accept()[0]
        self.client.settimeout(SECONDS)
        equal(self.client.recv(4096), WIRE.pack(1, EVENTS, 0), "what is asked")
        self.send(DONE)

    def send(self, kind, body=b""):
        self.client.send(WIRE.pack(1, kind, len(body)) + body)

    def event(self, name, state, index=0, reason="", before="inactive"):
        words = PHASES if index == SYSTEM else STATES if index != ADDRESS else [state, before]
        self.send(EVENT, WIRE_EVENT.pack(now(), time.time_ns(), index, words.index(before) if before in words else 0,
                                         words.index(state), 0, -1, name.encode(), reason.encode()))
