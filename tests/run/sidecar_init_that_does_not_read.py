# SPDX-License-Identifier: MIT
"""A muster-init that does not read its end of the channel never blocks the sidecar, and loses no
outcome: probes rest until there is room, then go on."""

from lib import check, equal, until
from sidecarlib import Page, Sidecar, Target, read_head


class Service:
    asked = 0

    def serve(self, connection):
        while read_head(connection):
            self.asked += 1
            connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")


def main():
    service = Service()
    with Sidecar() as sidecar, Target(service.serve) as target:
        Page(sidecar.run_dir, [{"name": "web"}])
        serial = sidecar.watch(1, f"http://127.0.0.1:{target.port}/", period=1)

        def rests():
            before = service.asked
            sidecar.alive()  # it serves all the while
            return before > 20 and all(sidecar.alive() is None and service.asked == before
                                       for _ in range(100))

        until(rests, "the channel is full and the probe rests", 60)
        asked = service.asked
        for count in range(asked):
            result = sidecar.result()
            equal((count, result["serial"], result["reason"]), (count, serial, "status 500"), "result")
        sidecar.result()
        until(lambda: service.asked > asked, "it goes on")
        check(sidecar.process.poll() is None, "it runs")


main()
