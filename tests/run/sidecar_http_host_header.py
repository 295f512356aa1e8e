# SPDX-License-Identifier: MIT
"""A request by a name that is not ours is refused, so that a stranger's web page cannot read the answers
through a browser (DNS rebinding); addresses and names that only we can have are taken."""

import socket

from lib import check, equal
from sidecarlib import Page, Sidecar

OURS = ["127.0.0.1", "127.0.0.1:9180", "localhost", "localhost:80", "LOCALHOST", "[::1]", "[::1]:9180", "10.1.2.3",
        "mainpc", "mainpc:9180", "web.localhost", "muster.default.svc", "muster.default.svc.cluster.local",
        "pc.internal", "box.example.org", "BOX.example.ORG.:80", socket.gethostname()]
STRANGERS = ["evil.example", "evil.example:9180", "localhost.evil.example", "127.0.0.1.evil.example", "",
             "svc.evil.example", "box.example.org.evil.example", "1.2.3", "[::1", "a" * 300 + ".com", "a.b:x",
             "evil.example@127.0.0.1", "a b", "a/b", "<b>", "localhost,evil"]


def main():
    with Sidecar("--host", "box.example.org") as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}], phase="ready")
        for path in ("/livez", "/status", "/"):
            for host in OURS + STRANGERS:
                answer = sidecar.get(path, Host=host)
                equal((path, host, answer.status), (path, host, 200 if host in OURS else 421), "Host")
                check("Access-Control-Allow-Origin" not in answer.headers, "no CORS")
        # in a target that is a whole URL its host counts, and Host does not
        for host in OURS + STRANGERS:
            if not set(" /") & set(host):
                line, known = f"GET HTTP://{host}/livez HTTP/1.1\r\n", host in OURS
                answer = sidecar.raw(f"{line}Host: {'evil.example' if known else 'localhost'}\r\nConnection: close\r\n\r\n".encode())
                equal((host, answer.split()[1]), (host, b"200" if known else b"421"), "host of the target")
        for target, status in ((b"http://localhost", b"200"), (b"http://localhost/nothing", b"404"), (b"https://localhost/", b"404"),
                               (b"http://localhost?x", b"200")):
            answer = sidecar.raw(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            equal((target, answer.split()[1]), (target, status), "a whole URL")
        equal(sidecar.raw(b"GET /livez HTTP/1.0\r\n\r\n").split()[1], b"200", "HTTP/1.0 has no Host")
        equal(sidecar.raw(b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n").split()[1], b"400", "1.1 must")


main()
