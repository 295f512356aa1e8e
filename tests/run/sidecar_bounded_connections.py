# SPDX-License-Identifier: MIT
"""However many probes hang, there are at most ten connections in all, two to one port of one host,
and one for each probe; and those that wait have their turn."""

import contextlib
import threading

from lib import check, equal, matches
from sidecarlib import Page, Sidecar, Target


class Hanging:
    """Takes connections and never answers; knows how many were open at a time."""

    open = most = 0
    lock = threading.Lock()

    def __init__(self):
        self.own = self.own_most = 0

    def serve(self, connection):
        with Hanging.lock:
            Hanging.open += 1
            Hanging.most = max(Hanging.most, Hanging.open)
            self.own += 1
            self.own_most = max(self.own_most, self.own)
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass
        with Hanging.lock:
            Hanging.open -= 1
            self.own -= 1


def probe_hanging(most, to_one, *options):
    Hanging.open = Hanging.most = 0
    with contextlib.ExitStack() as stack:
        sidecar = stack.enter_context(Sidecar(*options))
        Page(sidecar.run_dir, [{"name": "web"}])
        services = [Hanging() for _ in range(8)]
        targets = [stack.enter_context(Target(service.serve)) for service in services]
        probes = 48
        for probe in range(probes):
            sidecar.watch(probe, f"http://127.0.0.1:{targets[probe % 8].port}/", period=50, timeout=300)
        seen = set()
        while len(seen) < probes:
            result = sidecar.result()
            equal(result["reason"], "timed out after 300ms (first byte)", "reason")
            seen.add(result["probe"])
        # a connection that the sidecar has closed may not have been seen to be closed here, on a busy
        # machine several; without limits it would be 48 in all and 6 to a port
        check(Hanging.most <= most, f"{Hanging.most} connections at a time")
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
