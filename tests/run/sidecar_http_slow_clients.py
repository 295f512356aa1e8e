# SPDX-License-Identifier: MIT
"""Clients that trickle their requests, do not read their answers or just sit there neither keep others
out nor stay: a request has five seconds however steadily it drips, and room is made when all places
are taken."""

import contextlib
import select
import socket
import time

from lib import SECONDS, check, equal, until
from sidecarlib import Page, Sidecar, now


def connect(stack, sidecar, data=b""):
    client = stack.enter_context(socket.create_connection(("127.0.0.1", sidecar.port), timeout=SECONDS))
    client.sendall(data)
    return client


def closed(client):
    ready, _, _ = select.select([client], [], [], 0)
    if not ready:
        return False
    try:
        return client.recv(65536) == b""
    except ConnectionError:
        return True


def drip(client):
    """Sends a byte; True once the server has closed."""
    with contextlib.suppress(OSError):
        client.send(b"x")
    time.sleep(0.05)  # the drip itself, not a wait for something
    return closed(client)


def check_deadline(sidecar):
    """Every byte would renew a limit on silence; this one is on the whole head."""
    with contextlib.ExitStack() as stack:
        begin = now()
        client = connect(stack, sidecar, b"GET /livez HTTP/1.1\r\nX: ")
        until(lambda: drip(client), "a dripping request is ended", 60)
        check(now() - begin >= 4 * 10**9, f"ended after {(now() - begin) / 1e9} s")


def check_crowd(sidecar):
    with contextlib.ExitStack() as stack:
        crowd = [connect(stack, sidecar, b"GET /livez HTTP/1.1\r\nX: ") for _ in range(300)]
        crowd += [connect(stack, sidecar) for _ in range(100)]
        for _ in range(20):
            sidecar.alive()
        check(sum(map(closed, crowd)) >= 250, "room was made")
        descriptors = int(next(line.split()[1] for line in sidecar.get("/metrics").text.splitlines()
                               if line.startswith("process_open_fds ")))
        check(descriptors < 250, f"{descriptors} descriptors are open")


def check_slow_reader(sidecar):
    """Many large answers that nobody reads: their connections end, the others' do not."""
    with contextlib.ExitStack() as stack:
        asks = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 2000
        client = stack.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", sidecar.port))
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.send(asks)
        for _ in range(20):
            sidecar.alive()
        poll = select.poll()
        poll.register(client, 0)
        check(poll.poll(60000), "a client that does not read is ended")


def main():
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": f"service-{n}"} for n in range(60)])
        check_crowd(sidecar)
        check_deadline(sidecar)
        check_slow_reader(sidecar)
        equal(sidecar.get("/livez").status, 200, "at last")


main()
