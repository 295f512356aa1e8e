# SPDX-License-Identifier: MIT
"""/health is application/health+json: pass, warn or fail with the matching HTTP status, a score, and a
check for each service."""

from lib import check, equal
from sidecarlib import ESSENTIAL, WANTED, Page, Sidecar


def report(sidecar):
    answer = sidecar.get("/health")
    equal(answer.headers["Content-Type"], "application/health+json", "type")
    return answer.status, answer.json()


def main():
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, [{"name": "db"}, {"name": "extra", "flags": WANTED}], phase="ready")
        status, health = report(sidecar)
        equal((status, health["status"], health["score"]), (200, "pass", 100), "all is well")
        for key, values in health["checks"].items():
            check(isinstance(values, list) and key.count(":") == 1, f"{key}: {values}")
        db = health["checks"]["db:state"][0]
        equal((db["status"], db["observedValue"], db["componentId"]), ("pass", "ready", "db"), "db")
        check(db["time"].endswith("Z"), db["time"])
        page.set("extra", state="failed", reason="exit 1")
        page.set_phase("degraded")
        status, health = report(sidecar)
        equal((status, health["status"], health["score"]), (200, "warn", 66), "an optional one failed")
        equal(health["checks"]["extra:state"][0]["output"], "exit 1", "output")
        page.set("db", state="unhealthy", reason='status "503"\\')
        status, health = report(sidecar)
        equal((status, health["status"], health["score"]), (503, "fail", 16), "an essential one")
        equal(health["checks"]["db:state"][0], health["checks"]["db:state"][0] |
              {"status": "fail", "output": 'status "503"\\'}, "db")
        page.set("db", state="unhealthy", reason="\udcff".encode("utf-8", "surrogateescape").decode("latin-1"))
        report(sidecar)
        page.set("db", state="ready", reason="", flags=ESSENTIAL | WANTED)
        page.set_phase("draining")
        equal(report(sidecar)[0], 503, "draining")


main()
