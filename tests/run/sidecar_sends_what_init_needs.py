# SPDX-License-Identifier: MIT
"""Of a probe's outcomes init is sent every failure, and successes only until success_threshold in a
row have been sent."""

from lib import check, equal, until
from sidecarlib import Page, Sidecar, Target, read_head


class Service:
    """Answers with the status that it is told."""

    def __init__(self):
        self.status = 200
        self.asked = 0

    def serve(self, connection):
        while read_head(connection):
            self.asked += 1
            connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % self.status)


def expect(sidecar, count, reason):
    for _ in range(count):
        result = sidecar.result()
        equal((result["ok"], result["reason"]), (not reason, reason), "result")


def nothing_more(sidecar, service, marker):
    """After ten more checks another probe's result is still the next message of the first kind."""
    asked = service.asked
    until(lambda: service.asked > asked + 10, "ten more checks")
    serial = sidecar.watch(9, f"http://127.0.0.1:{marker.port}/", period=3600000)
    equal(sidecar.result()["serial"], serial, "the next result's serial")


def main():
    service = Service()
    with Sidecar() as sidecar, Target(service.serve) as target, Target(service.serve) as marker:
        Page(sidecar.run_dir, [{"name": "web"}])
        sidecar.watch(1, f"http://127.0.0.1:{target.port}/", period=10, timeout=60000, success=3)
        expect(sidecar, 3, "")
        nothing_more(sidecar, service, marker)
        service.status = 500
        expect(sidecar, 12, "status 500")
        service.status = 200
        first = sidecar.wait_result(lambda one: one["ok"], "it is well again")
        check(first["probe"] == 1, "of this probe")
        expect(sidecar, 2, "")
        nothing_more(sidecar, service, marker)


main()
