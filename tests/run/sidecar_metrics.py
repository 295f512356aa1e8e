# SPDX-License-Identifier: MIT
"""/metrics is Prometheus text 0.0.4 that `promtool check metrics` accepts without a word, with one
family for each thing said and samples that agree with the page and the probes."""

import re
import subprocess

from lib import check, equal, need, until
from sidecarlib import (AUTO, DEP_CAUSE, ESSENTIAL, INTERNAL, OK, STATES, WANTED, Page, Sidecar, Target, answering,
                        silent_port)

NEEDED = ESSENTIAL | WANTED | AUTO
SAMPLE = re.compile(r'^([a-z_]+)(?:\{([^}]*)\})? (\S+)$')


def samples(text):
    """{(name, frozenset of labels): value}, each sample once."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        check(match, f"not a sample: {line}")
        labels = frozenset(re.findall(r'(\w+)="([^"]*)"', match.group(2) or ""))
        check((match.group(1), labels) not in found, f"twice: {line}")
        found[match.group(1), labels] = float(match.group(3))
    return found


def families(text):
    """Names in order; each has HELP and TYPE once and is not interleaved."""
    helps = re.findall(r"^# HELP (\S+) ", text, re.M)
    equal(helps, re.findall(r"^# TYPE (\S+) ", text, re.M), "HELP and TYPE")
    equal(len(helps), len(set(helps)), "families")
    seen = []
    for line in text.splitlines():
        name = line.split()[2] if line.startswith("#") else re.match(r"[a-z_]+", line).group()
        name = re.sub(r"_(bucket|sum|count)$", "", name)
        if not seen or seen[-1] != name:
            seen.append(name)
    equal(seen, helps, "order")
    return helps


def check_values(found):
    def value(name, **labels):
        return found[name, frozenset(labels.items())]

    equal([value("muster_service_state", service="db", muster_service_state=state) for state in STATES],
          [1.0 if state == "ready" else 0.0 for state in STATES], "stateset")
    equal(value("muster_service_restarts_total", service="db"), 2, "restarts")
    equal(value("muster_service_exit_code", service="db"), 137, "exit code")
    equal(value("muster_service_ready", service="api"), 0, "ready")
    equal(value("muster_service_startup_duration_seconds", service="db", phase="waiting"), 0.1, "waiting")
    check(value("muster_start_time_seconds") > 1.6e9, "start time")
    equal(value("muster_probe_success", service="web", check="readiness"), 1, "probe")
    equal(value("muster_probe_success", service="db", check="liveness"), 0, "probe that fails")
    check(value("muster_probe_failures_total", service="db", check="liveness", reason="connect") >= 1, "failures")
    equal(value("muster_probe_failures_total", service="web", check="readiness", reason="tls"), 0, "present though 0")
    equal(value("muster_probe_http_status_code", service="web", check="readiness"), 200, "status")
    buckets = [number for (name, _), number in found.items() if name == "muster_probe_duration_seconds_bucket"]
    count = value("muster_probe_duration_seconds_count", service="web", check="readiness")
    equal(value("muster_probe_duration_seconds_bucket", service="web", check="readiness", le="+Inf"), count, "+Inf")
    equal(len(buckets), 16, "buckets of two probes")
    check(value("muster_http_requests_total", path="/livez", code="200") >= 1, "requests")
    check(value("process_open_fds") > 3 and value("process_resident_memory_bytes") > 1e5, "of the process")
    check(not any("muster-sidecar" in dict(labels).get("service", "") for _, labels in found), "its own service")


def main():
    held, port = silent_port()
    with Sidecar() as sidecar, Target(answering(OK)) as target:
        empty = sidecar.get("/metrics").text
        page = Page(sidecar.run_dir, [{"name": "db", "restarts": 2, "last_exit": 137},
                                      {"name": "api", "state": "waiting", "flags": NEEDED | DEP_CAUSE},
                                      {"name": "web", "state": "completed", "type": "oneshot"},
                                      {"name": "muster-sidecar", "flags": NEEDED | INTERNAL}])
        page.set_phase("ready")
        sidecar.watch(1, f"http://127.0.0.1:{target.port}/", service=2, period=60000)
        sidecar.watch(2, f"tcp://127.0.0.1:{port}", service=0, period=60000, role="liveness")
        equal({sidecar.result()["ok"], sidecar.result()["ok"]}, {True, False}, "outcomes")
        sidecar.alive()
        sidecar.get("/nope")
        answer = sidecar.get("/metrics")
        equal(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8", "type")
        names = families(answer.text)
        equal(families(empty), [name for name in names if name in families(empty)], "families without a page")
        check("muster_ready" in families(empty) and "muster_service_up" not in families(empty), "nothing of services")
        check_values(samples(answer.text))
        until(lambda: sidecar.process.poll() is None, "it runs")
        promtool = need("promtool")
        for text in (empty, answer.text):
            result = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True,
                                    check=False)
            equal((result.returncode, result.stdout + result.stderr), (0, ""), "promtool")
    held.close()


main()
