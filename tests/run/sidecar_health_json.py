# SPDX-License-Identifier: MIT
"""/health is application/health+json, or plain JSON for who takes only that: pass, warn or fail with the
matching HTTP status, a score, a check for each service, and for how long it holds."""

from lib import check, equal, until
from sidecarlib import ESSENTIAL, WANTED, Page, Sidecar, Target, calm


def report(sidecar):
    answer = sidecar.get("/health")
    equal(answer.headers["Content-Type"], "application/health+json", "type")
    return answer.status, answer.json()


def check_type(sidecar):
    own, plain = "application/health+json", "application/json"
    for accept, kind in ((None, own), ("*/*", own), ("application/*", own), (f"{own}, {plain};q=0.9", own),
                         (f"{plain}, {own};q=0.9", plain), (plain, plain), ("text/html", plain),
                         (f"{own};q=0, */*", plain), ("text/html,application/xhtml+xml,*/*;q=0.8", own)):
        answer = sidecar.get("/health", **({"Accept": accept} if accept else {}))
        equal((accept, answer.headers["Content-Type"], answer.status), (accept, kind, 200), "Accept")
        equal(answer.headers["Vary"], "Accept", "Vary")


def check_age(sidecar, server):
    equal(sidecar.get("/health").headers["Cache-Control"], "max-age=1", "nothing is probed")
    for number, (period, age) in enumerate(((30500, 30), (10000, 10), (1999, 1), (200, 1))):
        sidecar.watch(number, f"tcp://127.0.0.1:{server.port}", period=period, initial_delay=10 ** 6)
        until(lambda: sidecar.get("/health").headers["Cache-Control"] == f"max-age={age}",  # noqa: B023
              f"max-age={age} of a period of {period} ms")


def main():
    with Sidecar() as sidecar, Target() as server:
        page = Page(sidecar.run_dir, [{"name": "db"}, {"name": "extra", "flags": WANTED}], phase="ready")
        check_type(sidecar)
        check_age(sidecar, server)
        status, health = calm(lambda: report(sidecar))
        equal((status, health["status"], health["score"]), (200, "pass", 100), "all is well")
        for key, values in health["checks"].items():
            check(isinstance(values, list) and key.count(":") == 1, f"{key}: {values}")
        db = health["checks"]["db:state"][0]
        equal((db["status"], db["observedValue"], db["componentId"]), ("pass", "ready", "db"), "db")
        check(db["time"].endswith("Z"), db["time"])
        check("output" not in db, db)
        page.set("extra", state="inactive", flags=0, since=0, reason="")
        extra = report(sidecar)[1]["checks"]["extra:state"][0]
        equal((extra["status"], extra.keys() & {"time", "output"}), ("pass", set()), "one that nobody wants, and never was")
        page.set("db", failures=1, reason="status 500")
        status, health = report(sidecar)
        equal((status, health["status"], health["checks"]["db:state"][0]["output"]), (200, "warn", "status 500"), "a failure")
        page.set("db", failures=0, reason="")
        page.set("extra", state="failed", flags=WANTED, reason="exit 1")
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
        answer = sidecar.get("/health")
        equal((answer.headers["Cache-Control"], answer.headers["Retry-After"]), ("no-store", "1"), "of a failure")


main()
