# SPDX-License-Identifier: MIT
"""When /metrics or /status is asked very often, most are told what the last one was: what the page says is never old,
counters do not go backwards, and both formats stay what they are."""

import json
import time

from lib import check, equal
from sidecarlib import Page, Sidecar
from sidecarlib.metrics import ACCEPT, read, samples, value

MADE_MOST = 10  # in a second, and one more that is then kept, of each format


def ask(connection, open_format):
    connection.request("GET", "/metrics", headers={"Accept": ACCEPT if open_format else "*/*"})
    return connection.getresponse().read().decode()


def crowd_status(connection, page):
    """Likewise, and a change is told at once."""
    began, bodies = time.monotonic(), set()

    def status():
        connection.request("GET", "/status")
        return connection.getresponse().read()

    for _ in range(400):
        bodies.add(status())
    seconds = time.monotonic() - began
    check(len(bodies) <= (MADE_MOST + 1) * (int(seconds) + 2), f"{len(bodies)} answers made in {seconds:.1f} s")
    for i in range(1, 40):
        page.set("service-8", restarts=i)
        equal(json.loads(status())["services"][8]["restarts"], i, "at once")


def main():
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, [{"name": f"service-{i}"} for i in range(30)])
        connection = sidecar.connection()
        began, bodies, last = time.monotonic(), set(), 0
        for i in range(400):
            text = ask(connection, False)
            bodies.add(text)
            if i % 20:
                continue
            spent = value(samples(read(text, False)), "process_cpu_seconds_total")
            check(spent >= last, "a counter went backwards")
            last = spent
        seconds = time.monotonic() - began
        check(len(bodies) <= (MADE_MOST + 1) * (int(seconds) + 2), f"{len(bodies)} answers made in {seconds:.1f} s")
        for i in range(1, 40):
            page.set("service-7", restarts=i)
            for open_format in (False, True):
                found = samples(read(ask(connection, open_format), open_format))
                equal(value(found, "muster_service_restarts_total", service="service-7"), i, "at once")
        crowd_status(connection, page)
        connection.close()
        sidecar.alive()


main()
