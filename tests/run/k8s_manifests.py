# SPDX-License-Identifier: MIT
"""Every overlay of k8s/ renders, and holds no field that Kubernetes does not know and lacks none that it needs; what
the objects say of each other and of muster fits; a slip of the pen is found."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from k8slib import MANIFESTS, kustomize, load, overlays, render, swagger, table_problems
from k8slib.rules import configuration, main_container, pods, rule_problems

from lib import INIT, IS_ROOT, ROOT, check, contains, equal

sys.path.insert(0, str(ROOT / "demo/reference"))
import generate

OVERLAYS = {"gpu", "monitoring", "native-sidecar", "plain", "two-container"}
EXTERNAL = {"native-sidecar", "two-container"}
FIELDS = ("unknown field", "is missing", "expected a", "unknown kind")  # what Kubernetes' own description finds, too
# file, what is replaced in it, by what, the overlay that is to be looked at, and a part of what is said then
SLIPS = (
    ("base/deployment.yaml", "readinessProbe:", "readynessProbe:", "plain", "unknown field readynessProbe"),
    ("base/deployment.yaml", "containerPort: 8080", "containrPort: 8080", "plain", "unknown field containrPort"),
    ("base/deployment.yaml", "              mountPath: /tmp\n", "", "plain", "mountPath is missing"),
    ("base/deployment.yaml", "terminationGracePeriodSeconds: 20", 'terminationGracePeriodSeconds: "20"', "plain",
     "expected a whole number"),
    ("base/deployment.yaml", "              port: sidecar\n            periodSeconds: 5",
     "              port: sidecars\n            periodSeconds: 5", "plain", "has no port sidecars"),
    ("base/deployment.yaml", "path: /readyz", "path: /ready", "plain", "has no /ready"),
    ("base/deployment.yaml", "medium: Memory", "medium: memory", "plain", "is none of"),
    ("base/deployment.yaml", "        runAsNonRoot: true\n", "", "gpu", "runAsNonRoot is not restricted"),
    ("base/deployment.yaml", "drop: [ALL]", "drop: [all]", "plain", "capabilities is not restricted"),
    ("base/deployment.yaml", "value: /run/muster/init", "value: /run/muster", "plain", "no directory in a volume"),
    ("base/muster.ini", "drain        = 5s", "drain        = 15s", "plain", "may need 25 s"),
    ("base/service.yaml", "targetPort: web", "targetPort: www", "plain", "no pod has a port www"),
    ("base/disruption.yaml", "      app.kubernetes.io/name: shop\n", "      app.kubernetes.io/nme: shop\n", "plain",
     "selects no pod"),
    ("base/disruption.yaml", "apiVersion: policy/v1\n", "apiVersion: policy/v2\n", "plain", "unknown kind policy/v2"),
    ("base/network.yaml", "policyTypes:", "policyType:", "plain", "unknown field policyType"),
    ("overlays/native-sidecar/deployment.yaml", "restartPolicy: Always", "restartPolicy: OnFailure", "native-sidecar",
     "is none of Always"),
    ("overlays/native-sidecar/deployment.yaml", "path: /livez", "path: /startupz", "native-sidecar",
     "waits for what starts behind it"),
    ("overlays/two-container/deployment.yaml", "readOnly: true\n", "readOnly: false\n", "two-container",
     "may write to the runtime directory"),
    ("components/external/deployment.yaml", 'value: "10002"', 'value: "10003"', "two-container", "of another user"),
    ("components/external/deployment.yaml", 'value: "yes"', 'value: "no"', "two-container", "how the sidecar runs"),
    ("overlays/monitoring/monitor.yaml", "podMetricsEndpoints:", "podMetricEndpoints:", "monitoring",
     "podMetricsEndpoints is missing"),
    ("overlays/monitoring/rules.yaml", "expr:", "expression:", "monitoring", "expr is missing"),
)


def problems(objects, api):
    """What all checks say."""
    return table_problems(objects) or (api.problems(objects) if api else []) or rule_problems(objects)


def check_configuration(name, objects):
    """muster-init itself takes what the pods get: the file, and the variables over it."""
    for title, _, spec in pods(objects):
        env = {key: value for key, value in main_container(spec)[1].items() if key.startswith("MUSTER_")}
        with tempfile.TemporaryDirectory(prefix="muster-test-") as folder:
            path = pathlib.Path(folder) / "muster.ini"
            path.write_text(configuration(objects, spec))
            os.chmod(folder, 0o755)
            # as the pod's user: who is root may more
            user = {"user": spec["securityContext"]["runAsUser"]} if IS_ROOT else {}
            result = subprocess.run([INIT, "-n", "-c", path], env={"PATH": os.environ["PATH"]} | env, text=True,
                                    capture_output=True, check=False, **user)
        equal((result.returncode, result.stdout), (0, "ok\n"), f"{name}: {title}: muster-init -n: {result.stderr}")


def check_slip(folder, command, api, slip):
    name, old, new, overlay, expected = slip
    path = folder / name
    text = path.read_text()
    check(old in text, f"{name} has no {old!r}")
    path.write_text(text.replace(old, new))
    try:
        objects = load(render(folder / "overlays" / overlay, command))
    finally:
        path.write_text(text)
    contains("\n".join(table_problems(objects) or rule_problems(objects)), expected, f"{name} with {new!r}")
    if api and overlay != "monitoring" and any(part in expected for part in FIELDS):
        check(api.problems(objects), f"Kubernetes' own description lets {new!r} of {name} pass")


def main():
    command, api = kustomize(), swagger()
    equal({folder.name for folder in overlays()}, OVERLAYS, "overlays")
    equal(api.unknown_fields() if api else [], [], "fields of our own table that Kubernetes does not know")
    for folder in overlays():
        objects = load(render(folder, command))
        equal(problems(objects, api), [], folder.name)
        check_configuration(folder.name, objects)
    stack = generate.services()
    reference = load("---\n".join("\n".join(generate.yaml(each)) + "\n" for each in generate.pods(stack)))
    equal(problems(reference, api), [], "pods of the reference stack")
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(shutil.copytree(MANIFESTS, pathlib.Path(name) / "k8s"))
        for slip in SLIPS:
            check_slip(folder, command, api, slip)


main()
