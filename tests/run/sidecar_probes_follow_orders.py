# SPDX-License-Identifier: MIT
"""A probe runs from its order until it is dropped by the same serial or its slot is given to another; and
it belongs to its service, though a reload gives that another place on the page."""

import socket

from lib import check, equal, until
from sidecarlib import OK, Page, Sidecar, Target, answering


def latency(sidecar, name):
    service = next(one for one in sidecar.get("/status").json()["services"] if one["name"] == name)
    return service["probe"] and service["probe"]["latency_seconds"]


def main():
    heard = []
    with Sidecar() as sidecar, Target(answering(OK)) as first, \
         Target(lambda connection: heard.append(connection.recv(1))) as second, Target() as third:
        Page(sidecar.run_dir, [{"name": "db", "probe": "tcp"}, {"name": "web", "probe": "http"}])
        serial = sidecar.watch(65535, f"http://127.0.0.1:{first.port}/", period=60000, service=1)
        equal(sidecar.result()["serial"], serial, "serial")
        check(latency(sidecar, "web") and not latency(sidecar, "db"), "of web")
        Page(sidecar.run_dir, [{"name": "web", "probe": "http"}, {"name": "new"}, {"name": "db", "probe": "tcp"}])
        check(latency(sidecar, "web") and not latency(sidecar, "db"), "of web, after a reload")
        sidecar.drop(65535, serial + 1)
        sidecar.drop(0, serial)
        sidecar.drop(1234, serial)
        check(latency(sidecar, "web"), "still there")
        sidecar.drop(65535, serial)
        until(lambda: not latency(sidecar, "web"), "dropped")
        old = sidecar.watch(3, f"tcp://127.0.0.1:{second.port}", period=10, success=1000000)
        equal(sidecar.result()["serial"], old, "serial")
        new = sidecar.watch(3, f"tcp://127.0.0.1:{third.port}", period=10, success=1000000)
        sidecar.wait_result(lambda one: one["serial"] == new, "the slot's new probe")
        with socket.create_connection(("127.0.0.1", second.port)) as marker:  # behind all that came before
            marker.sendall(b"x")
            until(lambda: b"x" in heard, "all of the old one are counted")
        asked = second.accepted
        for _ in range(20):
            equal(sidecar.result()["serial"], new, "serial")
        check(second.accepted <= asked + 1, "the old one goes on")


main()
