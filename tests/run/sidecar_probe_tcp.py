# SPDX-License-Identifier: MIT
"""A tcp:// probe succeeds when a connection is made and says why when not; over v4, v6 and a name."""

import socket

from lib import equal, until
from sidecarlib import Page, Sidecar, Target, silent_port


def verdict(sidecar, target, **options):
    serial = sidecar.watch(7, target, period=60000, **options)
    result = sidecar.wait_result(lambda one: one["serial"] == serial, target)
    sidecar.drop(7, serial)
    return result["ok"], result["reason"]


def main():
    held, port = silent_port()
    with Sidecar() as sidecar, Target() as service:
        Page(sidecar.run_dir, [{"name": "db"}])
        equal(verdict(sidecar, f"tcp://127.0.0.1:{service.port}"), (True, ""), "open port")
        equal(verdict(sidecar, f"tcp://127.0.0.1:{port}"), (False, "connection refused"), "closed port")
        equal(verdict(sidecar, f"tcp://localhost:{service.port}"), (True, ""), "by name")
        if socket.has_ipv6:
            try:
                with Target(family=socket.AF_INET6) as six:
                    equal(verdict(sidecar, f"tcp://[::1]:{six.port}"), (True, ""), "v6")
            except OSError as error:
                print(f"IPv6 is left out: {error}")
        for wrong in ("tcp://127.0.0.1", "tcp://:80", "tcp://127.0.0.1:99999", "http://[::1", "http:///x",
                      "tcp://127.0.0.1:0", "ftp://127.0.0.1:21/", ""):
            equal(verdict(sidecar, wrong), (False, "not a target that can be probed"), wrong)
        until(lambda: service.accepted >= 2, "connections arrive")
    held.close()


main()
