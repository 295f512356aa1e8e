# SPDX-License-Identifier: MIT
"""The PrometheusRule of k8s/ is what make-rules makes of Compose's rules, and the pods are the job that they ask for."""

import re
import subprocess

from lib import ROOT, check, equal

MONITORING = ROOT / "k8s/overlays/monitoring"
RULES = sorted((ROOT / "compose/prometheus/rules").glob("*.yml"))


def main():
    made = subprocess.run([MONITORING / "make-rules"], capture_output=True, text=True, check=True).stdout
    equal((MONITORING / "rules.yaml").read_text(), made, "rules.yaml; k8s/overlays/monitoring/make-rules makes it anew")
    check(RULES, "there are no rules")
    equal(made.count("alert:"), sum(path.read_text().count("alert:") for path in RULES), "alerts")
    jobs = set(re.findall(r'job="(\w+)"', made))
    label = re.search(r"jobLabel: (\S+)", (MONITORING / "monitor.yaml").read_text())[1]
    given = re.search(rf"{label}: (\S+)", (ROOT / "k8s/base/kustomization.yaml").read_text())[1]
    check(jobs <= {given}, f"the rules ask for {jobs}, the PodMonitor makes {given}")


main()
