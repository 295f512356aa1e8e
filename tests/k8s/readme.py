# SPDX-License-Identifier: MIT
"""What README.md says of Kubernetes works as it is written there."""
import os
import pathlib
import tempfile

from clusterlib import POD_SECONDS, cluster, older

import k8slib
from imagelib.readme import run
from lib import ROOT, contains, equal, matches, until
from readmelib import blocks

# `apply -k` and `delete -k` as a later kubectl has them; this one's kustomize is too old, and so is the API server
KUBECTL = """#!/usr/bin/env python3
import subprocess, sys
words, text = sys.argv[1:], None
if "-k" in words:
    place = words.index("-k")
    text = subprocess.run({render!r} + [words[place + 1]], stdout=subprocess.PIPE, text=True, check=True).stdout
    for old, new in {older!r}:
        text = text.replace(old, new)
    words[place:place + 2] = ["-f", "-"]
sys.exit(subprocess.run({kubectl!r} + words, input=text, text=True).returncode)
"""


def put_kubectl(kubernetes, folder):
    """A `kubectl` that talks to this cluster; returns an environment in which it is found."""
    path = folder / "bin/kubectl"
    path.parent.mkdir()
    path.write_text(KUBECTL.format(render=[str(word) for word in k8slib.kustomize()], kubectl=kubernetes.words,
                                   older=[("apiVersion: policy/v1\n", older("apiVersion: policy/v1\n"))]))
    path.chmod(0o755)
    return os.environ | {"PATH": f"{path.parent}:{os.environ['PATH']}"}


def check_own(folder, text):
    """A kustomization of somebody's own, with a copy of this repository beside it."""
    (folder / "muster").symlink_to(ROOT)
    (folder / "kustomization.yaml").write_text(text)
    (folder / "muster.ini").write_text("[service:one]\ncommand = sleep 1h\n")
    rendered = k8slib.render(folder, k8slib.kustomize())
    contains(rendered, "image: registry.example.com/shop:1.0\n", "image")
    config = next(each for each in k8slib.load(rendered) if each["kind"] == "ConfigMap")
    equal(config["data"], {"muster.ini": "[service:one]\ncommand = sleep 1h\n"}, "configuration")
    equal(k8slib.table_problems(k8slib.load(rendered)), [], "fields")


def main():
    kubernetes = cluster()
    commands, own = blocks("In Kubernetes", ["kubectl", "resources:"])
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        check_own(folder, own)
        try:
            output = run(commands, put_kubectl(kubernetes, folder), ROOT)
        finally:
            kubernetes.kubectl("delete", "namespace", "muster", "--ignore-not-found")
    matches(output, r"^web +.*ready", "status")
    until(lambda: kubernetes.kubectl("get", "namespace", "muster").returncode != 0, "all is gone", POD_SECONDS)


main()
