# SPDX-License-Identifier: MIT
"""/livez is 200 whatever the services do, and when there is no status page at all."""

from lib import contains, equal
from sidecarlib import ESSENTIAL, WANTED, Page, Sidecar


def main():
    with Sidecar() as sidecar:
        answer = sidecar.get("/livez")
        equal((answer.status, answer.text), (200, "ok\n"), "without a page")
        for path in ("/readyz", "/startupz", "/health", "/status", "/readyz/db", "/timeline"):
            equal(sidecar.get(path).status, 503, f"{path} without a page")
        equal(sidecar.get("/").status, 200, "the dashboard without a page")
        equal(sidecar.get("/metrics").status, 200, "metrics without a page")
        page = Page(sidecar.run_dir, [{"name": "db", "state": "failed", "reason": "exit 1",
                                       "flags": ESSENTIAL | WANTED}])
        for phase in ("starting", "degraded", "draining", "stopping"):
            page.set_phase(phase)
            equal(sidecar.get("/livez").status, 200, phase)
        contains(sidecar.get("/livez?verbose").text, "[-] db: exit 1\n", "verbose")


main()
