# SPDX-License-Identifier: MIT
"""The 84 services of the reference stack come up as two pods, which wait for each other's services, and end in order."""
import json
import sys
import time

from clusterlib import Follower, POD_SECONDS, cluster, url

from lib import ROOT, contains, equal, until

sys.path.insert(0, str(ROOT / "demo/reference"))
import generate

SETTING = generate.Setting(scale=0.2)
COUNTS = {"mainpc": 58, "pc2": 26}


def text_of(stack):
    return "---\n".join("\n".join(generate.yaml(each)) + "\n" for each in generate.pods(stack, SETTING))


def check_host(kubernetes, namespace, name):
    status = json.loads(kubernetes.http(url(namespace.pod(name), "/status"))[1])
    equal(status["host"], name, "host")
    services = [each for each in status["services"] if not each["name"].startswith(("address:", "muster-sidecar")) and
                "/" not in each["name"]]
    equal([each["ready"] for each in services], [True] * COUNTS[name], f"services of {name}")
    equal([each["state"] for each in status["peers"]], ["ok"], f"peers of {name}")
    return status["startup"]["seconds"]


def main():
    kubernetes = cluster()
    stack = generate.services(SETTING)
    with kubernetes.namespace() as namespace:
        begin = time.monotonic()
        namespace.do("apply", "-f", "-", text=text_of(stack))
        namespace.name_pods(*COUNTS)
        namespace.wait_ready(2)
        seconds = time.monotonic() - begin
        starts = {name: check_host(kubernetes, namespace, name) for name in COUNTS}
        print(f"ready after {seconds:.1f} s; muster-init: {starts}; critical path {generate.critical_path(stack)} ms")
        followers = [Follower(namespace, {"metadata": {"name": name}}) for name in COUNTS]
        namespace.do("delete", "pod", *COUNTS)
        for follower in followers:
            contains(follower.text(), "none had to be killed", "last word")
        until(lambda: not namespace.names(), "both are gone", POD_SECONDS)


main()
