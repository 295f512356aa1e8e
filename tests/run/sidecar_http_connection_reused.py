# SPDX-License-Identifier: MIT
"""Checks of a service that keeps its connections open go over one connection, as HTTP/1.1, without
cookies, compression or a proxy of the environment; the sidecar names itself."""

import contextlib

from lib import check, contains, equal, until
from sidecarlib import Page, Sidecar, Target, read_head


class Service:
    def __init__(self):
        self.heads = []

    def serve(self, connection):
        while head := read_head(connection):
            self.heads.append(head.decode().lower())
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n"
                               b"Alt-Svc: h2=\":1\"\r\n\r\nok")


def main():
    proxies = {name: "http://127.0.0.1:9" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
    service = Service()
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(Target(service.serve))
        sidecar = stack.enter_context(Sidecar(env=proxies))
        Page(sidecar.run_dir, [{"name": "web"}])
        sidecar.watch(1, f"http://127.0.0.1:{target.port}/health?a=1", period=10)
        check(sidecar.result()["ok"], "the first check")
        until(lambda: len(service.heads) > 20, "twenty checks")
        equal(target.accepted, 1, "connections")
        for head in service.heads[:20]:
            contains(head, "get /health?a=1 http/1.1\r\n", "request line")
            contains(head, "\r\nuser-agent: muster-probe/", "name")
            contains(head, f"\r\nhost: 127.0.0.1:{target.port}\r\n", "host")
            for unwanted in ("cookie", "accept-encoding", "authorization", "upgrade"):
                check(unwanted not in head, f"{unwanted} in {head}")


main()
