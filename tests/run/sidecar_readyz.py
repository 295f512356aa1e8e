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


def check_exclude(sidecar, page):
    """?exclude=NAME: as if that service were no business of the one who asks."""
    page.set_phase("degraded")
    page.set("db", state="unhealthy", reason="status 503")
    page.set("cache", state="failed", reason="exit 1")
    for query, status in (("exclude=db", 503), ("exclude=db&exclude=cache", 200), ("exclude=cache&exclude=nobody", 503),
                          ("exclude=db&exclude=%63ache", 200), ("exclude", 503), ("exclude=", 503), ("x=db", 503),
                          ("exclude=db,cache", 503), ("exclude=db&exclude=cache&exclude=muster-sidecar", 200)):
        equal((query, sidecar.get(f"/readyz?{query}").status), (query, status), "status")
    equal(sidecar.get("/readyz?exclude=db").text, "degraded\ncache: exit 1\nextra: exit 3\n", "who is left")
    contains(sidecar.get("/readyz?verbose&exclude=db&exclude=nobody").text, "[ ] db: excluded\n", "verbose")
    contains(sidecar.get("/readyz?verbose&exclude=db&exclude=nobody").text,
             "warn: no service has the name of 1 that are to be excluded\n", "verbose")
    page.set_phase("draining")
    equal(sidecar.get("/readyz?exclude=db&exclude=cache&exclude=extra").status, 503, "draining")
    page.set("extra", state="starting", reason="")
    page.set("cache", state="ready", reason="")
    page.set_phase("starting")
    equal(sidecar.get("/readyz?exclude=db").status, 503, "start-up waits for what is not essential, too")
    equal(sidecar.get("/readyz?exclude=db&exclude=extra").status, 200, "all the others have started")
    page.set("extra", state="failed", reason="exit 3")
    page.set("db", state="ready", reason="")
    page.set("cache", state="running")


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
        check_exclude(sidecar, page)
        for phase in ("draining", "stopping"):
            page.set_phase(phase)
            equal((sidecar.get("/readyz").status, sidecar.get("/readyz").text.split()[0]), (503, phase), phase)


main()
