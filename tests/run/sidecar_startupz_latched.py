# SPDX-License-Identifier: MIT
"""/startupz turns 200 when the start-up is over and stays so, even when the page goes away."""

from lib import contains, equal
from sidecarlib import Page, Sidecar


def main():
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, [{"name": "db", "state": "starting", "reason": "not yet"}])
        answer = sidecar.get("/startupz")
        equal((answer.status, answer.text), (503, "starting\ndb: not yet\n"), "starting")
        page.set_phase("degraded")
        equal(sidecar.get("/startupz").status, 200, "start-up is over")
        page.head["startup_done"] = 0
        page.set_phase("starting")
        equal(sidecar.get("/startupz").status, 200, "never back")
        page.path.write_bytes(b"not a page")
        equal(sidecar.get("/startupz").status, 200, "without a page")
        contains(sidecar.get("/startupz?verbose").text, "ok\n", "verbose")
        equal(sidecar.get("/readyz").status, 503, "/readyz without a page")


main()
