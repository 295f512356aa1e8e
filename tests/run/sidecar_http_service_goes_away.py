# SPDX-License-Identifier: MIT
"""A service that was up and goes away is told as what it is: refused, or not taking connections; and one
that only closes its idle connections is not taken for gone."""

import contextlib
import socket

from lib import check, equal, free_port, until
from sidecarlib import OK, Page, Sidecar, Target, read_head


class Service:
    """One answer a connection, which it then closes."""

    asked = 0

    def serve(self, connection):
        if read_head(connection):
            self.asked += 1
            connection.sendall(OK)


def failure(sidecar, reason):
    """The first may be another: a connection that was under way is reset."""
    sidecar.wait_result(lambda one: one["reason"] == reason, reason)


def success(sidecar):
    sidecar.wait_result(lambda one: one["ok"], "it is well")


def full_listener(stack, port):
    """Takes the port and leaves its queue of connections full."""
    listener = stack.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    clients = [stack.enter_context(socket.socket()) for _ in range(8)]
    listener.listen(0)
    for client in clients:
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))


def main():
    service = Service()
    with contextlib.ExitStack() as stack:
        sidecar = stack.enter_context(Sidecar())
        Page(sidecar.run_dir, [{"name": "web"}])
        with Target(service.serve, port=free_port()) as target:
            port = target.port
            serial = sidecar.watch(1, f"http://127.0.0.1:{port}/", period=20, timeout=5000)
            success(sidecar)
            until(lambda: service.asked > 20, "twenty checks, each over a connection that was closed behind it")
            marker = sidecar.watch(2, f"tcp://127.0.0.1:{port}", period=60000)
            equal(sidecar.result()["serial"], marker, "no failure meanwhile")
        failure(sidecar, "connection refused")
        with Target(service.serve, port=port):
            success(sidecar)
        failure(sidecar, "connection refused")
        with contextlib.ExitStack() as full:
            full_listener(full, port)
            failure(sidecar, "timed out after 5s (connect)")
        with Target(service.serve, port=port):
            success(sidecar)
        check(serial, "one probe all the time")


main()
