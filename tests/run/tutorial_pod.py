# SPDX-License-Identifier: MIT
"""docs/tutorial/pod.md works as it is written, and what it would send to a cluster passes the strict check of k8s/."""
from tutoriallib import play_here

from k8slib import kubectl_knows_kustomize, load, swagger, table_problems
from k8slib.rules import rule_problems

from lib import equal, skip


def look(folder):
    objects = load((folder / "shop.yaml").read_text())
    api = swagger()
    equal(table_problems(objects) or (api.problems(objects) if api else []) or rule_problems(objects), [], "shop.yaml")


if not kubectl_knows_kustomize():
    skip("there is no kubectl of version 1.21 or later")
play_here("pod", done=look)
