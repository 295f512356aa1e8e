# SPDX-License-Identifier: MIT
"""However many probes hang, there are at most ten connections in all, two to one port of one host,
and one for each probe; and those that wait have their turn."""

import contextlib
import socket
import threading

from lib import check, matches
from sidecarlib import Page, Sidecar, Target


def is_open(connection):
    """Whether the other side has not closed it, as the kernel knows it: this process may come to that late."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1  # TCP_ESTABLISHED


class Hanging:
    """Takes connections and never answers; knows how many were open at a time."""

    most = at_once = 0
    connections = []
    lock = threading.Lock()

    def __init__(self):
        self.own_most = 0

    def serve(self, connection):
        connections = Hanging.connections
        with Hanging.lock:
            connections.append((self, connection))
            Hanging.most = max(Hanging.most, len(connections))
            still = [service for service, one in connections if is_open(one)]
            Hanging.at_once = max(Hanging.at_once, len(still))
            self.own_most = max(self.own_most, still.count(self))
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass
        with Hanging.lock:
            connections.remove((self, connection))


def probe_hanging(most, to_one, *options):
    Hanging.most = Hanging.at_once = 0
    Hanging.connections = []
    with contextlib.ExitStack() as stack:
        sidecar = stack.enter_context(Sidecar(*options))
        Page(sidecar.run_dir, [{"name": "web"}])
        services = [Hanging() for _ in range(8)]
        targets = [stack.enter_context(Target(service.serve, backlog=1024)) for service in services]
        probes = 48
        for probe in range(probes):
            sidecar.watch(probe, f"http://127.0.0.1:{targets[probe % 8].port}/", period=50, timeout=300)
        seen = set()
        while len(seen) < probes:
            result = sidecar.result()
            # a sidecar that stood still for so long may not have seen that it is connected
            matches(result["reason"], r"^timed out after 300ms \((connect|first byte)\)$", "reason")
            seen.add(result["probe"])
        # without limits it would be 48 in all and 6 to a port; the kernel may be late with the end of some
        check(Hanging.at_once <= most, f"{Hanging.at_once} connections at a time")
        check(all(service.own_most <= to_one for service in services),
              f"to one port: {[service.own_most for service in services]}")
        failures = sidecar.get("/readyz/web?verbose").text
        matches(failures, r"(?m)^    readiness failed at first byte: timed out after 300ms \(first byte\); \d+ times, last \d+ s ago$",
                "what has failed lately")
        sidecar.alive()
        return Hanging.most


usual = probe_hanging(24, 5)
check(usual >= 4, f"{usual} connections at a time")
probe_hanging(3, 3, "--connections", "1")
check(probe_hanging(48, 6, "--connections", "40", "--connections-per-host", "5") > 24, "more, where that is asked for")
