# SPDX-License-Identifier: MIT
"""Crowds: ten thousand connections that say nothing, from this host and from many others, and what others
do about it: whoever asks from this host is answered, and has places that nobody else can take."""

import contextlib
import resource
import socket
import subprocess

from lib import SECONDS, check, equal, need_root, until
from sidecarlib import Page, Sidecar, in_network_namespace, own_memory
from sidecarlib.events import Stream

IDLE = 10000
REMOTE_PLACES, PLACES, ADDRESS_PLACES, REMOTE_STREAMS = 112, 128, 32, 24


def raise_limit():
    """As far as it goes; returns how many connections that allows, with some to spare."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(IDLE, hard - 500)


def connect(stack, sidecar, source, target="10.9.0.1", data=b""):
    client = stack.enter_context(socket.socket())
    client.settimeout(SECONDS)
    client.bind((source, 0))
    client.connect((target, sidecar.port))
    with contextlib.suppress(OSError):
        client.sendall(data)
    client.setblocking(False)
    return client


def is_open(client):
    try:
        return client.recv(65536) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def answered(client):
    """A request on this old connection."""
    client.setblocking(True)
    client.settimeout(SECONDS)
    client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return client.recv(4096).startswith(b"HTTP/1.1 200")


def check_idle(sidecar):
    """From this host, which is spared the limits on others."""
    before = own_memory(sidecar.pid)
    with contextlib.ExitStack() as stack:
        for number in range(raise_limit()):
            connect(stack, sidecar, "127.0.0.1", "127.0.0.1")
            if number % 500 == 0:
                sidecar.alive()
        for _ in range(20):
            sidecar.alive()
        grown = own_memory(sidecar.pid) - before
        check(grown < 8192, f"{grown} kB more for {IDLE} idle connections")
        check(descriptors(sidecar) < PLACES + 100, "it keeps few of them")


def descriptors(sidecar):
    text = sidecar.get("/metrics").text
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("process_open_fds ")))


def check_reserved(sidecar):
    """From many other hosts, which take all places that they can have, again and again."""
    with contextlib.ExitStack() as stack:
        own = connect(stack, sidecar, "127.0.0.1", "127.0.0.1")
        check(answered(own), "without a crowd")  # from now on it may rest for longer than a request may take
        others = [connect(stack, sidecar, f"10.9.1.{1 + number % 200}", data=b"GET /livez HTTP/1.1\r\nX: ")
                  for number in range(2000)]
        sidecar.alive()
        check(answered(own), "a connection of this host that was there before is still there")
        until(lambda: sum(map(is_open, others)) <= REMOTE_PLACES, "others have not more places than they may")
        check(sum(map(is_open, others)) >= REMOTE_PLACES - 20, "but those they have")
        for _ in range(20):
            sidecar.alive()


def check_address(sidecar):
    """One other host cannot take the places of the others."""
    with contextlib.ExitStack() as stack:
        crowd = [connect(stack, sidecar, "10.9.2.1") for _ in range(200)]
        until(lambda: sum(map(is_open, crowd)) <= ADDRESS_PLACES, "one address has not more places than it may")
        check(sum(map(is_open, crowd)) > 0, "but some")
        other = connect(stack, sidecar, "10.9.2.2")
        check(all(is_open(client) for client in crowd[:ADDRESS_PLACES]), "the first ones stay")
        check(answered(other), "another host is served")


def check_streams(sidecar):
    """Events have places for this host, too."""
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(Stream(sidecar, host="10.9.0.1")) for _ in range(REMOTE_STREAMS)]
        equal({stream.status for stream in streams}, {200}, "the first ones")
        with Stream(sidecar, host="10.9.0.1") as stream:
            equal((stream.status, stream.header("retry-after")), (503, "10"), "one too many")
        equal(stack.enter_context(Stream(sidecar)).status, 200, "from this host")


def main():
    need_root()
    in_network_namespace()
    # all of 10.9.0.0/16 is here, so that we can come from any of these addresses
    subprocess.run(["ip", "route", "add", "local", "10.9.0.0/16", "dev", "lo"], check=True)
    with Sidecar(listen="0.0.0.0:0") as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}], phase="ready")
        check_idle(sidecar)
        check_reserved(sidecar)
        check_address(sidecar)
        check_streams(sidecar)
        sidecar.alive()


main()
