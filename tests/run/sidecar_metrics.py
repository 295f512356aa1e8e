# SPDX-License-Identifier: MIT
"""/metrics is Prometheus text 0.0.4 that `promtool check metrics` accepts without a word, or OpenMetrics
1.0 for who asks for it: the same series in both, each once, that agree with the page and the probes."""

import math
import subprocess

from lib import check, equal, need, until
from sidecarlib import (AUTO, DEP_CAUSE, ESSENTIAL, INTERNAL, OK, STATES, WANTED, Page, Sidecar, Target, answering,
                        silent_port)
from sidecarlib.metrics import ACCEPT, OPEN, TEXT, read, samples, scrape, value

NEEDED = ESSENTIAL | WANTED | AUTO


def check_values(found):
    equal([value(found, "muster_service_state", service="db", muster_service_state=state) for state in STATES],
          [1.0 if state == "ready" else 0.0 for state in STATES], "stateset")
    equal(value(found, "muster_service_restarts_total", service="db"), 2, "restarts")
    equal(value(found, "muster_service_exit_code", service="db"), 137, "exit code")
    equal(value(found, "muster_service_ready", service="api"), 0, "ready")
    equal(value(found, "muster_service_startup_duration_seconds", service="db", phase="waiting"), 0.1, "waiting")
    check(value(found, "muster_start_time_seconds") > 1.6e9, "start time")
    name = "muster_service_state_since_timestamp_seconds"
    check(value(found, name, service="db") > 1.6e9, "since when")
    check(math.isnan(value(found, name, service="web")), "it has not begun")
    equal(value(found, "muster_probe_success", service="web", check="readiness"), 1, "probe")
    equal(value(found, "muster_probe_success", service="db", check="liveness"), 0, "probe that fails")
    check(value(found, "muster_probe_failures_total", service="db", check="liveness", reason="connect") >= 1, "failures")
    equal(value(found, "muster_probe_failures_total", service="web", check="readiness", reason="tls"), 0, "though 0")
    equal(value(found, "muster_probe_http_status_code", service="web", check="readiness"), 200, "status")
    equal(value(found, "muster_probe_duration_seconds_count", service="web", check="readiness"), 1, "durations")
    equal(len([key for key in found if key[0] == "muster_probe_duration_seconds_bucket"]), 16, "of two probes")
    check(value(found, "muster_http_requests_total", path="/livez", code="200") >= 1, "requests")
    check(value(found, "process_open_fds") > 3 and value(found, "process_resident_memory_bytes") > 1e5, "process")
    check(0 < value(found, "muster_scrape_duration_seconds") < 5, "duration of the scrape")
    check(not any("muster-sidecar" in dict(labels).get("service", "") for _, labels in found), "its own service")


def check_formats(sidecar):
    """Negotiation, and that one format has no series that the other has not."""
    for accept, kind in ((ACCEPT, OPEN), ("text/plain;q=0.5,application/openmetrics-text;q=0.4", TEXT),
                         ("application/openmetrics-text;version=1.0.0;escaping=underscores",
                          OPEN + "; escaping=underscores"),
                         ("text/plain;escaping=underscores", TEXT + "; escaping=underscores"),
                         ("application/openmetrics-text;q=garbage", TEXT), (";;;", TEXT), ("", TEXT)):
        answer = sidecar.get("/metrics", Accept=accept)
        equal((answer.status, answer.headers.get_all("Content-Type")), (200, [kind]), f"Accept: {accept}")
        read(answer.text, kind.startswith(OPEN))
    equal(set(scrape(sidecar)), set(scrape(sidecar, True)), "series in both formats")


def main():
    held, port = silent_port()
    with Sidecar() as sidecar, Target(answering(OK)) as target:
        empty = sidecar.get("/metrics")
        names = [family.name for family in read(empty.text, False)]
        check("muster_ready" in names and not any("service" in name for name in names), "nothing of services")
        page = Page(sidecar.run_dir, [{"name": "db", "restarts": 2, "last_exit": 137},
                                      {"name": "api", "state": "waiting", "flags": NEEDED | DEP_CAUSE},
                                      {"name": "web", "state": "completed", "type": "oneshot", "since": 0},
                                      {"name": 'o"d\\d\n\xff', "state": "failed"},
                                      {"name": "muster-sidecar", "flags": NEEDED | INTERNAL}])
        page.set_phase("ready")
        sidecar.watch(1, f"http://127.0.0.1:{target.port}/", service=2, period=60000)
        sidecar.watch(2, f"tcp://127.0.0.1:{port}", service=0, period=60000, role="liveness")
        seen = set()  # what fails may be tried again before the other has answered
        until(lambda: seen.add(sidecar.result()["ok"]) or seen == {True, False}, "outcomes")
        sidecar.alive()
        sidecar.get("/nope")
        answer = sidecar.get("/metrics")
        equal(answer.headers["Content-Type"], TEXT, "type")
        check_values(samples(read(answer.text, False)))
        check_values(scrape(sidecar, True))
        check_formats(sidecar)
        until(lambda: sidecar.process.poll() is None, "it runs")
        promtool = need("promtool")
        for text in (empty.text, answer.text):
            result = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True,
                                    check=False)
            equal((result.returncode, result.stdout + result.stderr), (0, ""), "promtool")
    held.close()


main()
