# SPDX-License-Identifier: MIT
"""A real API server takes what our own check of k8s/ takes, and refuses what that refuses."""
from clusterlib import cluster, older

import k8slib
from lib import contains, equal

TYPO = ("readinessProbe:", "readynessProbe:")


def text_of(name):
    """In a namespace that is there: that of the manifests is another test's."""
    text = k8slib.render(k8slib.MANIFESTS / "overlays" / name, k8slib.kustomize())
    return older(text).replace("namespace: muster\n", "namespace: strict\n")


def main():
    kubernetes = cluster()
    kubernetes.kubectl("create", "namespace", "strict")
    for name in ("plain", "two-container", "gpu"):
        kubernetes.do("apply", "--dry-run=server", "-f", "-", text=text_of(name))
    refused = kubernetes.kubectl("apply", "--dry-run=server", "-f", "-", text=text_of("plain").replace(*TYPO))
    equal(refused.returncode, 1, "a typo")
    contains(refused.stderr, 'unknown field "readynessProbe"', "what is said of it")
    refused = kubernetes.kubectl("apply", "--dry-run=server", "-f", "-", text=text_of("native-sidecar"))
    contains(refused.stderr, 'unknown field "restartPolicy"', "of what came later than this Kubernetes")


main()
