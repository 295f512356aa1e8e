# SPDX-License-Identifier: MIT
"""/readyz follows the phase and the essential services, and a refusal tells root causes and what only
waits for them apart."""

from lib import equal, contains
from sidecarlib import AUTO, DEP_CAUSE, ESSENTIAL, INTERNAL, WANTED, Page, Sidecar

NEEDED = ESSENTIAL | WANTED | AUTO


def services():
    return [{"name": "db", "state": "starting", "reason": "connection refused", "flags": NEEDED},
            {"name": "api", "state": "waiting", "flags": NEEDED | DEP_CAUSE, "cause": 0,
             "reason": "waits for db"},
            {"name": "cache", "state": "running", "flags": NEEDED},
            {"name": "migrate", "state": "completed", "type": "oneshot", "flags": NEEDED},
            {"name": "debug", "state": "inactive", "flags": ESSENTIAL},
            {"name": "extra", "state": "ready", "flags": WANTED},
            {"name": "muster-sidecar", "state": "failed", "flags": NEEDED | INTERNAL}]


def main():
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, services())
        answer = sidecar.get("/readyz")
        equal(answer.status, 503, "starting")
        equal(answer.text, "starting\ndb: connection refused\napi: waits for db\n", "starting")
        equal(answer.headers["Retry-After"], "1", "Retry-After")
        equal(sidecar.get("/readyz?verbose").text,
              "starting\n[-] db: connection refused\n[-] api: waits for db\n[+] cache: running\n"
              "[+] migrate: completed\n[ ] debug: inactive\n[+] extra: ready\n", "verbose")
        for name, status, text in (("db", 503, "db: connection refused\n"), ("api", 503, "api: waits for db\n"),
                                   ("cache", 200, "ok\n"), ("migrate", 200, "ok\n"),
                                   ("nobody", 404, None), ("muster-sidecar", 404, None), ("", 404, None)):
            answer = sidecar.get(f"/readyz/{name}")
            equal(answer.status, status, name)
            equal(answer.text, text or answer.text, name)
        page.set("db", state="ready", reason="")
        page.set("api", state="ready", reason="", flags=NEEDED)
        equal(sidecar.get("/readyz").status, 503, "all is ready, but the phase is still starting")
        page.set_phase("ready")
        equal((sidecar.get("/readyz").status, sidecar.get("/readyz").text), (200, "ok\n"), "ready")
        page.set("extra", state="failed", reason="exit 3")
        page.set_phase("degraded")
        equal(sidecar.get("/readyz").status, 200, "an optional service has failed")
        contains(sidecar.get("/readyz?verbose").text, "[-] extra: exit 3\n", "verbose")
        page.set("db", state="unhealthy", reason="status 503")
        answer = sidecar.get("/readyz")
        equal((answer.status, answer.text), (503, "degraded\ndb: status 503\nextra: exit 3\n"), "essential")
        page.set("db", state="ready", reason="")
        for phase in ("draining", "stopping"):
            page.set_phase(phase)
            equal((sidecar.get("/readyz").status, sidecar.get("/readyz").text.split()[0]), (503, phase), phase)


main()
