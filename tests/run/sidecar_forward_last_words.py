# SPDX-License-Identifier: MIT
"""`forward`: what a side said before its own orderly end arrives whole, though that side is gone by then and resets
when more is said to it. A reset before the end stays a reset."""

import hashlib
import os
import pathlib
import re
import socket
import struct
import sys
import tempfile

from lib import SECONDS, check, equal, free_port, until
from sidecarlib import Sidecar

CONFIG = """
[muster]
mode = testing
[address:server]
port = {server}
testing = 127.0.0.1
check = no
forward = 127.0.0.1:{at_server}
"""
SPEECH = os.urandom(1 << 18)
NARROW = 4096
LOOPBACK = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"


def narrow():
    one = socket.socket()
    one.settimeout(SECONDS)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
    return one


def rest_of(one):
    data = b""
    while part := one.recv(1 << 16):
        data += part
    return data


def passed(sidecar, direction):
    found = re.findall(rf'muster_forward_bytes_total{{.*"{direction}".*}} (\d+)', sidecar.get("/metrics").text)
    equal(len(found), 1, "counters")
    return int(found[0])


def same(heard, said, what):
    equal((len(heard), hashlib.sha256(heard).digest()), (len(said), hashlib.sha256(said).digest()), what)


def server_is_gone(listener, port, sidecar):
    """The server answers and closes; more is asked before the answer was read."""
    with narrow() as client:
        client.connect(("127.0.0.1", port))
        with listener.accept()[0] as server:
            server.sendall(SPEECH)
        until(lambda: all_said(listener.getsockname()[1]), "the answer is under way")
        client.sendall(b"more")
        at = listener.getsockname()[1]
        until(lambda: not established(at), lambda: f"the server's reset: {established(at)}")
        client.sendall(b"and more")
        passed(sidecar, "to_server")  # who asks now is heard after what came before
        same(rest_of(client), SPEECH, "the answer")


def client_is_gone(listener, port, sidecar):
    """The client tells all and closes; the server greets it late, before it has listened."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
        client.sendall(SPEECH)
    with listener.accept()[0] as server:
        server.settimeout(SECONDS)
        until(lambda: all_said(port), "all is under way")
        server.sendall(b"welcome")
        until(lambda: not established(port), lambda: f"the client's reset: {established(port)}")
        server.sendall(b"again")
        passed(sidecar, "to_client")
        same(rest_of(server), SPEECH, "what the client said")


def reset_is_reset(listener, port):
    with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
        with listener.accept()[0] as server:
            server.sendall(SPEECH[:1000])
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            rest_of(client)
        except ConnectionResetError:
            return
    check(False, "the reset was passed on as an end")


def all_said(port):
    """Whether one end of a connection at this port has closed, and the other has received all that was said before; it
    may wait there for whom it is passed on to."""
    return any(end[2] == "05" for end in ends(port))


def established(port):
    """Whether a connection at this port has not been forgotten by the kernel."""
    return [end for end in ends(port) if end[2] not in ("0A", "06")]


def ends(port):
    """Local address, peer, and state of all connections at this port."""
    rows = [line.split()[1:4] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [end for end in rows if f"{LOOPBACK}:{port:04X}" in end[:2]]


def main():
    ports = dict(zip(("server", "at_server"), {free_port() for _ in range(20)}))
    with tempfile.TemporaryDirectory() as directory, narrow() as listener:
        listener.bind(("127.0.0.1", ports["server"]))
        listener.listen()
        path = pathlib.Path(directory, "muster.ini")
        path.write_text(CONFIG.format(**ports))
        with Sidecar("-c", path, linked=False) as sidecar:
            server_is_gone(listener, ports["at_server"], sidecar)
            client_is_gone(listener, ports["at_server"], sidecar)
            reset_is_reset(listener, ports["at_server"])
            until(lambda: not re.search(r"muster_forward_connections{.*} [^0]", sidecar.get("/metrics").text),
                  "all are closed")


main()
