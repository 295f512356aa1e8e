# SPDX-License-Identifier: MIT
"""The alert rules that are shipped ask for what there is, and each of them fires when it should, for the
right host alone, and not before its time."""

import json
import pathlib
import re
import subprocess
import tempfile

from lib import ROOT, check, equal, need, skip

try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")

RULES = ROOT / "compose/prometheus/rules/muster.yml"
FAMILIES = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/metrics.md").read_text(), re.M))
SEVERITIES = {"info", "warning", "critical"}
COMMAND = re.compile(r"\b(musterctl \w+|muster-sidecar \w+|curl \S|nvidia-smi|kubectl \w+|openssl \w+|Status, Targets)")
WEB = 'service="web"'

# Of each alert: series of the host `bad` and of the host `good`, "NAME{LABELS} VALUES" with a value a minute;
# the minute in which it must fire and, where it has to last, one before that in which it must not; the labels
# that it has besides `instance`, and how $value is written.
CASES = {
    "MusterHostDown": (['up{job="muster"} 1 0 0 0'], ['up{job="muster"} 1 1 1 1'], 3, 1, 'job="muster"', ""),
    "MusterInitUnreachable": (["muster_status_page 1 0 0 0 0"], ["muster_status_page 1 1 0 1 1"], 3, 1, "", ""),
    "MusterNotReady": (["muster_ready 0x20"], ["muster_ready 0x5 1x15"], 12, 8, "", ""),
    "MusterStartupStuck": (
        ["muster_start_time_seconds 60x30", 'muster_phase{muster_phase="starting"} 1x30',
         'muster_phase{muster_phase="ready"} 0x30'],
        ["muster_start_time_seconds 60x30", 'muster_phase{muster_phase="starting"} 1x10 0x20',
         'muster_phase{muster_phase="ready"} 0x10 1x20'], 20, 15, "", ""),
    "MusterStartupSlow": (["muster_startup_duration_seconds NaN 301 301"], ["muster_startup_duration_seconds NaN 300 300"],
                          2, 0, "", "5m 1s"),
    "MusterServiceFailed": (
        [f'muster_service_state{{{WEB},muster_service_state="failed"}} 0 1 1 1'],
        [f'muster_service_state{{{WEB},muster_service_state="failed"}} 0 0 0 0',
         f'muster_service_state{{{WEB},muster_service_state="backoff"}} 1 1 1 1'], 3, 1,
        f'{WEB},muster_service_state="failed"', ""),
    "MusterServiceNotReady": (
        [f'muster_service_state{{{WEB},muster_service_state="starting"}} 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0',
         f'muster_service_state{{{WEB},muster_service_state="backoff"}}  0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1'],
        [f'muster_service_state{{{WEB},muster_service_state="starting"}} 1x5 0x10',
         f'muster_service_state{{{WEB},muster_service_state="ready"}} 0x5 1x10',
         'muster_service_state{service="manual",muster_service_state="inactive"} 1x15'], 12, 8, WEB, ""),
    "MusterServiceFlapping": ([f"muster_service_restarts_total{{{WEB}}} 0+1x20"],
                              [f"muster_service_restarts_total{{{WEB}}} 0x5 2x15"], 15, 1, WEB, "15"),
    "MusterServiceCrashed": (
        [f"muster_service_exit_code{{{WEB}}} NaN 139 139 139", f"muster_service_restarts_total{{{WEB}}} 0 1 1 1"],
        [f"muster_service_exit_code{{{WEB}}} NaN 143 143 143", f"muster_service_restarts_total{{{WEB}}} 0 1 1 1",
         'muster_service_exit_code{service="old"} 139 139 139 139', 'muster_service_restarts_total{service="old"} 1 1 1 1'],
        3, 0, WEB, "139"),
    "MusterServiceStartSlow": (
        [f'muster_service_startup_duration_seconds{{{WEB},phase="starting"}} NaN 121'],
        [f'muster_service_startup_duration_seconds{{{WEB},phase="starting"}} NaN 119',
         f'muster_service_startup_duration_seconds{{{WEB},phase="waiting"}} NaN 500'], 1, 0,
        f'{WEB},phase="starting"', "2m 1s"),
    "MusterProbeFailing": (
        [f'muster_probes_total{{{WEB},check="readiness"}} 0+4x20',
         f'muster_probe_failures_total{{{WEB},check="readiness",reason="connect"}} 0x5 0+2x15',
         f'muster_probe_failures_total{{{WEB},check="readiness",reason="timeout"}} 0x5 0+1x15'],
        [f'muster_probes_total{{{WEB},check="readiness"}} 0+4x20',
         f'muster_probe_failures_total{{{WEB},check="readiness",reason="connect"}} 0x5 0+1x15'], 18, 10,
        f'{WEB},check="readiness"', "75%"),
    "MusterProbesStretched": (["muster_probe_stretch_ratio 4x30"], ["muster_probe_stretch_ratio 2x30"], 16, 10, "", "4"),
    "MusterCertificateExpires": (
        [f'muster_probe_tls_expiry_timestamp_seconds{{{WEB},check="readiness"}} 1000000x70'],
        [f'muster_probe_tls_expiry_timestamp_seconds{{{WEB},check="readiness"}} 1300000x70'], 65, 30,
        f'{WEB},check="readiness"', "11d 12h 41m 40s"),
    "MusterResolveFailing": (
        ["muster_resolve_total 0+10x30", "muster_resolve_failures_total 0+5x30"],
        ["muster_resolve_total 0+10x30", "muster_resolve_failures_total 0+1x30"], 20, 5, "", "50%"),
    "MusterForwardFailing": (
        ['muster_forward_accepted_connections_total{address="db",listen="l"} 0+10x20',
         'muster_forward_failures_total{address="db",listen="l",reason="failed"} 0+1x20'],
        ['muster_forward_accepted_connections_total{address="db",listen="l"} 0+100x20',
         'muster_forward_failures_total{address="db",listen="l",reason="failed"} 0+1x20'], 12, 3,
        'address="db",listen="l"', "10%"),
    "MusterMemoryNearLimit": (
        ["muster_cgroup_memory_working_set_bytes 950x10", "muster_cgroup_memory_limit_bytes 1000x10"],
        ["muster_cgroup_memory_working_set_bytes 950x10", "muster_cgroup_memory_limit_bytes Infx10"], 6, 3, "", "95%"),
    "MusterOomKill": (["muster_cgroup_oom_kills_total 0 0 1 1"], ["muster_cgroup_oom_kills_total 3 3 3 3"], 3, 1, "", ""),
    "MusterMemoryStall": (["muster_memory_stall 0 1 1 1 1"], ["muster_memory_stall 0 1 0 1 0"], 3, 1, "", ""),
    "MusterMemoryPressure": (
        ['muster_pressure_stalled_seconds_total{resource="memory",scope="cgroup"} 0+12x20'],
        ['muster_pressure_stalled_seconds_total{resource="memory",scope="cgroup"} 0+3x20',
         'muster_pressure_stalled_seconds_total{resource="io",scope="cgroup"} 0+30x20'], 12, 4,
        'resource="memory",scope="cgroup"', "20%"),
    "MusterCpuThrottled": (
        ["muster_cgroup_cpu_throttled_periods_total 0+300x40", "muster_cgroup_cpu_periods_total 0+600x40"],
        ["muster_cgroup_cpu_throttled_periods_total 0+60x40", "muster_cgroup_cpu_periods_total 0+600x40"], 30, 10, "", "50%"),
    "MusterPidsNearLimit": (["muster_cgroup_pids 99x10", "muster_cgroup_pids_limit 100x10"],
                            ["muster_cgroup_pids 99x10", "muster_cgroup_pids_limit Infx10"], 6, 3, "", "99%"),
    "MusterLogLinesDropped": (["muster_log_dropped_lines_total 0 0 7 7"], ["muster_log_dropped_lines_total 7 7 7 7"],
                              3, 1, "", ""),
    "MusterGpuCollectorStuck": (
        ['muster_gpu_collector_state{muster_gpu_collector_state="stuck"} 1x10',
         'muster_gpu_collector_state{muster_gpu_collector_state="ok"} 0x10'],
        ['muster_gpu_collector_state{muster_gpu_collector_state="none"} 1x10',
         'muster_gpu_collector_state{muster_gpu_collector_state="stuck"} 0x10'], 6, 3,
        'muster_gpu_collector_state="stuck"', ""),
    "MusterGpuLost": (['muster_gpu_up{gpu="1",mig=""} 0x5'], ['muster_gpu_up{gpu="1",mig=""} 1x5'], 2, 0, 'gpu="1"', ""),
    "MusterGpuXid": (['muster_gpu_xid_errors_total{gpu="0",xid="79"} _x18 1 1 1'],
                     ['muster_gpu_xid_errors_total{gpu="0",xid="13"} 2x40'], 19, 17, 'gpu="0",xid="79"', ""),
    "MusterGpuMemoryErrors": (
        ['muster_gpu_ecc_errors_total{gpu="0",mig="",type="uncorrected"} 0 0 1 1'],
        ['muster_gpu_ecc_errors_total{gpu="0",mig="",type="uncorrected"} 5 5 5 5',
         'muster_gpu_ecc_errors_total{gpu="0",mig="",type="corrected"} 0 9 18 27'], 3, 1, 'gpu="0",type="uncorrected"', ""),
    "MusterGpuHot": (['muster_gpu_temperature_celsius{gpu="0",mig=""} 91x10'],
                     ['muster_gpu_temperature_celsius{gpu="0",mig=""} 91x2 80x8'], 6, 3, 'gpu="0"', "91"),
    "MusterPeerStale": (['muster_peer_up{peer="pc2"} 0x10'], ['muster_peer_up{peer="pc2"} 0 1x9'], 3, 1, 'peer="pc2"', ""),
    "MusterSidecarRefusesConnections": (
        ['muster_http_connections_ended_total{reason="refused"} 0+60x20'],
        ['muster_http_connections_ended_total{reason="refused"} 5x20',
         'muster_http_connections_ended_total{reason="deadline"} 0+60x20'], 12, 3, 'reason="refused"', ""),
}


def labels_of(text):
    return dict(re.findall(r'(\w+)="([^"]*)"', text))


def series(text, host):
    name, labels, values = re.fullmatch(r"(\w+)(?:\{(.*?)\})? +(.*)", text).groups()
    # promtool wants `0+0x9` for ten times the same
    values = re.sub(r"(?<![\w+.])([^\W_]+)x(\d+)", lambda m: f"{m[1]}+0x{int(m[2]) - 1}" if m[1] != "Inf" else
                    " ".join(["Inf"] * int(m[2])), values)
    return {"series": "%s{%s}" % (name, ",".join(filter(None, [labels, f'instance="{host}:9180"']))), "values": values}


def rendered(text, labels, value):
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda m: labels.get(m[1], ""), text)
    return re.sub(r"\{\{ \$value.*?\}\}", value, text)


def case(rule, bad, good, fires, quiet, labels, value):
    labels = dict(labels_of(labels), instance="bad:9180")
    expected = {"exp_labels": dict(labels, severity=rule["labels"]["severity"]),
                "exp_annotations": {key: rendered(text, labels, value) for key, text in rule["annotations"].items()}}
    name = rule["alert"]
    return {"interval": "1m",
            "input_series": [series(text, "bad") for text in bad] + [series(text, "good") for text in good],
            "alert_rule_test": [{"eval_time": f"{quiet}m", "alertname": name, "exp_alerts": []},
                                {"eval_time": f"{fires}m", "alertname": name, "exp_alerts": [expected]}]}


def absent(rule):
    """The one that is about no host at all."""
    tests = []
    for given, alerts in (([], [{"exp_labels": {"job": "muster", "severity": "critical"},
                                 "exp_annotations": dict(rule["annotations"])}]),
                          ([{"series": 'up{job="muster",instance="good:9180"}', "values": "0x9"}], [])):
        tests.append({"interval": "1m", "input_series": given, "alert_rule_test": [
            {"eval_time": "6m", "alertname": rule["alert"], "exp_alerts": alerts}]})
    return tests


def look(rule):
    """What needs no promtool."""
    name = rule["alert"]
    check(rule["labels"]["severity"] in SEVERITIES, f"severity of {name}")
    bare = re.sub(r"\{[^}]*\}|\b(?:without|by|ignoring|on) *\([^)]*\)", "", rule["expr"])
    names = set(re.findall(r"\b(?:muster|process)_\w+", bare))
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    check(names <= FAMILIES, f"{name} asks for {sorted(names - FAMILIES)}, not in docs/metrics.md")
    check(names or "up" in bare, f"{name} asks for nothing")
    equal(set(rule["annotations"]), {"summary", "description"}, f"annotations of {name}")
    check(COMMAND.search(rule["annotations"]["description"]), f"the description of {name} names no command")


def main():
    rules = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
    for rule in rules.values():
        look(rule)
    equal(sorted(rules), sorted([*CASES, "MusterHostAbsent"]), "alerts that are tested")
    promtool = need("promtool")
    tests = absent(rules["MusterHostAbsent"])
    tests += [case(rules[name], *what) for name, what in CASES.items()]
    with tempfile.TemporaryDirectory(prefix="muster-test-") as folder:
        path = pathlib.Path(folder) / "tests.yml"  # JSON is YAML
        path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
        for words in (["check", "rules", RULES], ["test", "rules", path]):
            result = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
            equal(result.returncode, 0, f"promtool {words[0]}: {result.stdout}{result.stderr}")


main()
