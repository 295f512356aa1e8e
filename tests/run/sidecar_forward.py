# SPDX-License-Identifier: MIT
"""`forward` of an address: connections to its port go to what is in force, whole and in both directions, each ended by
itself; a place that does not answer is followed by the next; who nobody takes is reset; a slow reader holds up only
its own connection and finds little between; the end of much comes without more behind it; and a change of the answer moves new connections only."""

import contextlib
import hashlib
import os
import pathlib
import re
import select
import socket
import struct
import tempfile
import threading

from lib import check, equal, fail, free_port, open_files, until
from sidecarlib import Sidecar, own_memory

CONFIG = """
[muster]
mode = testing
[address:echo]
port = {echo}
testing = 127.0.0.1
forward = 127.0.0.1:{at_echo}, [::1]:{at_echo}
[address:two]
port = 1
testing = 127.0.0.1:{one}, localhost:{two}
check_period = 100ms
forward = 127.0.0.1:{at_two}
[address:nobody]
port = {nobody}
testing = 127.0.0.1
check = no
forward = 127.0.0.1:{at_nobody}
[address:loop]
port = {at_nobody}
testing = 127.0.0.1
check = no
forward = 127.0.0.1:{at_loop}
[address:wide]
port = {wide}
testing = 127.0.0.1
check = no
forward = 0.0.0.0:{wide}
[address:here]
port = {echo}
testing = 127.0.0.1
forward = 127.0.0.1:{echo}
"""
SECONDS = 30


class Server:
    """Every connection is served by `serve` in a thread."""

    def __init__(self, port, serve):
        self.socket = socket.create_server(("127.0.0.1", port))
        self.serve = serve
        self.open = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.open.append(connection)
                threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with contextlib.suppress(OSError):
            self.serve(connection)

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()  # it would accept from whatever has the same number next
        self.socket.close()


def echo(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def name(text):
    def serve(connection):
        connection.sendall(text)
        echo(connection)
    return serve


def connect(port, host="127.0.0.1"):
    return socket.create_connection((host, port), SECONDS)


def reset(port):
    try:
        with connect(port) as one:
            one.recv(1)
    except ConnectionResetError:
        return True
    return False


def whole(at):
    """Random bytes, much of them, come back as they went; then the end does."""
    data = os.urandom(1 << 20) * 8
    for host in ("127.0.0.1", "::1"):
        with connect(at, host) as one:
            sender = threading.Thread(target=lambda: (one.sendall(data), one.shutdown(socket.SHUT_WR)))
            sender.start()
            digest, size = hashlib.sha256(), 0
            while part := one.recv(1 << 16):
                digest.update(part)
                size += len(part)
            sender.join()
            equal((size, digest.digest()), (len(data), hashlib.sha256(data).digest()), "what came back")
    with connect(at) as one:
        for size in (1, 2, 3, 65535, 65536, 65537, 1):
            one.sendall(b"x" * size)
            got = 0
            while got < size:  # MSG_WAITALL does not wait on a socket with a timeout
                part = one.recv(size - got)
                check(part, f"{got} of {size} bytes")
                got += len(part)


def tails(at):
    """However much there is, its last bytes come although nothing follows them: a sender waits for the answer."""
    sizes = [1, 4096, 16383, 16384, 65535, 65536, 65537] + [1 << shift | shift for shift in range(17, 23)]
    with connect(at) as one:
        for size in sizes + sizes[::-1] + [100000, 131072, 200000, 262144, 524288, 1 << 20] * 4:
            sender = threading.Thread(target=one.sendall, args=(b"z" * size,))
            sender.start()
            got = 0
            while got < size:
                part = one.recv(size - got)
                check(part, f"{got} of {size} bytes")
                got += len(part)
            sender.join()


def queued(pid):
    """Bytes that wait in the TCP sockets of a process, each side of each socket by itself."""
    own = set(open_files(pid).values())
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(size, 16) for row in rows if row[3] == "01" and f"socket:[{row[9]}]" in own
            for size in row[4].split(":")]


def halves(at, server):
    """The end of one direction is passed on, and the other one goes on."""
    server.serve = lambda connection: (connection.recv(100, socket.MSG_WAITALL), connection.sendall(b"still here"),
                                       connection.close())
    with connect(at) as one:
        one.sendall(b"ask")
        one.shutdown(socket.SHUT_WR)
        equal(one.recv(100, socket.MSG_WAITALL), b"still here", "after the end of the question")
    server.serve = lambda connection: (connection.shutdown(socket.SHUT_WR), heard.append(connection.recv(100)))
    heard = []
    with connect(at) as one:
        equal(one.recv(1), b"", "the server's end")
        one.sendall(b"more")
        until(lambda: b"more" in heard, "what is said after the server's end")
    server.serve = lambda connection: (connection.recv(1), close_hard(connection))
    with connect(at) as one:
        one.sendall(b"x")
        try:
            equal(one.recv(1), "a reset")
        except ConnectionResetError:
            pass
    server.serve = echo


def close_hard(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def pressure(at, server, sidecar):
    """One that does not read fills what is between, and no more; others are served meanwhile."""
    release = threading.Event()
    server.serve = lambda connection: (release.wait(SECONDS), echo(connection))
    before = own_memory(sidecar.pid)
    with connect(at) as slow:
        slow.setblocking(False)
        sent = 0

        def held_up():
            nonlocal sent
            with contextlib.suppress(BlockingIOError):
                while sent < 200 << 20 and select.select([], [slow], [], 1)[1]:
                    sent += slow.send(b"y" * 65536)
            return max(queued(sidecar.pid), default=0)

        most = until(held_up, "the sidecar's sockets are full")
        check(sent < 100 << 20, "the writer is held up")
        check(most <= 400 << 10, f"{most} bytes wait in a socket: connections of this machine have small buffers")
        server.serve = echo
        with connect(at) as other:
            other.sendall(b"ping")
            equal(other.recv(4, socket.MSG_WAITALL), b"ping", "another connection")
        check(own_memory(sidecar.pid) - before < 8 << 10, "it keeps little in memory")
        release.set()
        slow.setblocking(True)
        slow.settimeout(SECONDS)
        slow.shutdown(socket.SHUT_WR)
        got = 0
        while part := slow.recv(1 << 20):
            got += len(part)
        equal(got >= sent, True, "nothing is lost")


def moves(ports):
    """The second place serves while the first is down; who is there stays when the first is back."""
    second = Server(ports["two"], name(b"two"))
    with connect(ports["at_two"]) as early:
        equal(early.recv(3, socket.MSG_WAITALL), b"two", "the fallback")
        first = Server(ports["one"], name(b"one"))

        def answers():
            with connect(ports["at_two"]) as one:
                return one.recv(3, socket.MSG_WAITALL)

        until(lambda: answers() == b"one", "the first place is back")
        early.sendall(b"stays")
        equal(early.recv(5, socket.MSG_WAITALL), b"stays", "the old connection")
    first.stop()
    equal(answers(), b"two", "at once, before it is known to be down")
    second.stop()


def counted(sidecar, address, reason):
    return int(re.search(rf'muster_forward_failures_total{{address="{address}",listen="[^"]*",reason="{reason}"}} (\d+)',
                         sidecar.get("/metrics").text).group(1))


def main():
    names = "echo at_echo one two at_two nobody at_nobody at_loop wide".split()
    ports = dict(zip(names, {free_port() for _ in range(40)}))
    server = Server(ports["echo"], echo)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "muster.ini")
        path.write_text(CONFIG.format(**ports))
        with Sidecar("-c", path, linked=False) as sidecar:
            whole(ports["at_echo"])
            tails(ports["at_echo"])
            halves(ports["at_echo"], server)
            pressure(ports["at_echo"], server, sidecar)
            moves(ports)
            check(reset(ports["at_nobody"]), "nobody is there")
            check(reset(ports["at_loop"]), "a port of its own is nobody")
            check(reset(ports["wide"]), "so is one of all addresses")
            equal([counted(sidecar, one, "failed") for one in ("nobody", "loop", "wide")], [1, 1, 1], "failed")
            check(re.search(r'accepted_connections_total{address="wide",[^}]*} 1\n', sidecar.get("/metrics").text), "only once")
            equal(counted(sidecar, "echo", "broken"), 1, "the server's reset")
            check("to itself" in sidecar.stderr, "why")
            until(lambda: not re.search(r"muster_forward_connections{.*} [^0]", sidecar.get("/metrics").text),
                  "all are closed")
            open_before = len(os.listdir(f"/proc/{sidecar.pid}/fd")) if os.geteuid() == 0 else 0
            for _ in range(50):
                connect(ports["at_echo"]).close()
            if open_before:
                until(lambda: len(os.listdir(f"/proc/{sidecar.pid}/fd")) <= open_before + 2, "no descriptor is lost")
            if sidecar.process.poll() is not None:
                fail("it has ended")


main()
