# SPDX-License-Identifier: MIT
"""A hundred peers at once, half of them dead: connections and memory stay bounded, all are heard, those that
have nothing new answer 304 over connections that are kept, and no peer is asked for more than its /status."""

import json
import threading

from lib import check, equal, open_files, until
from sidecarlib import Page, Sidecar, Target, mute_until_closed, read_head, resident

PEERS, DEAD, MOST = 100, 30, 16


class Fleet:
    """Seventy hosts on one port: GET /N/status is answered by host N, slowly enough to see how many ask."""

    def __init__(self):
        self.lock = threading.Lock()
        self.open = self.most = self.asked = self.unchanged = self.bytes = 0
        self.paths = set()

    def serve(self, connection):
        while head := read_head(connection):
            path = head.split()[1].decode()
            with self.lock:
                self.open += 1
                self.most = max(self.most, self.open)
                self.asked += 1
                self.paths.add(path.rsplit("/", 1)[1])
            answer = self.answer(head, path.split("/")[1])
            with self.lock:
                self.open -= 1
                self.bytes += len(answer)
            connection.sendall(answer)

    def answer(self, head, number):
        if b"if-none-match: w/\"7\"" in head.lower():
            self.unchanged += 1
            return b"HTTP/1.1 304 Not Modified\r\nETag: W/\"7\"\r\n\r\n"
        services = [{"name": f"s{i}", "state": "ready", "ready": True, "depends_on": []} for i in range(40)]
        body = json.dumps({"schema": 1, "host": f"host{number}", "ready": True, "score": 100, "services": services}).encode()
        return b"HTTP/1.1 200 OK\r\nETag: W/\"7\"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def sockets(pid):
    """Descriptors of the sidecar that are sockets."""
    return sum(name.startswith("socket:") for name in open_files(pid).values())


def main():
    fleet = Fleet()
    with Target(fleet.serve, backlog=256) as target, Target(mute_until_closed, backlog=256) as mute:
        args = []
        for i in range(PEERS):
            port = mute.port if i >= PEERS - DEAD else target.port
            args += ["--peer", f"host{i}/2s=http://127.0.0.1:{port}/{i}"]
        with Sidecar(*args, "--host", "here") as sidecar:
            Page(sidecar.run_dir, [{"name": "web", "state": "ready"}], phase="ready")

            def heard():
                hosts = sidecar.get("/fleet").json()["hosts"]
                equal(len(hosts), PEERS + 1, "this host and its peers")
                return [host for host in hosts[1:] if host["state"] == "ok"]

            until(lambda: len(heard()) == PEERS - DEAD, lambda: f"all are heard: {len(heard())}", 60)
            before = fleet.unchanged
            most = 0

            def unchanged():
                nonlocal most
                most = max(most, sockets(sidecar.pid))
                return fleet.unchanged > before + 3 * PEERS

            until(unchanged, "they are asked again and again", 90)
            until(lambda: len(heard()) == PEERS - DEAD and not any(host["error"] for host in heard()), "all are well", 60)
            for host in heard():
                equal((host["host"], len(host["services"])), (host["name"], 40), "what it said")
            check(fleet.most <= MOST, f"{fleet.most} asked at a time")
            check(most <= MOST + 32 + 10, f"{most} sockets are open")
            check(resident(sidecar.pid) < 40 * 1024, f"{resident(sidecar.pid)} kB resident")
            equal(fleet.paths, {"status"}, "nothing else is asked")
            check(fleet.asked - fleet.unchanged < 3 * PEERS, f"{fleet.asked - fleet.unchanged} whole answers")
            sidecar.alive()
            print(f"{fleet.asked} requests, {fleet.unchanged} of them 304, {target.accepted} connections, "
                  f"{most} sockets, {resident(sidecar.pid)} kB resident")


main()
