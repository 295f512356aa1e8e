# SPDX-License-Identifier: MIT
"""Pods are deleted, and the whole Deployment is replaced, while a client asks the Service all the time: no request is
lost, and muster-init ends in order, within the pod's grace."""
from clusterlib import POD_SECONDS, Client, cluster, end_pod

from lib import check, contains, equal, until


def main():
    kubernetes = cluster()
    with kubernetes.overlay("plain") as namespace:
        pods = namespace.wait_ready(2)
        until(lambda: len(namespace.endpoints()) == 2, "both behind the Service", POD_SECONDS)
        with Client(namespace) as client:
            seconds, said = end_pod(namespace, pods[0])
            contains(said, "none had to be killed", "last word")
            check(5 <= seconds < 60, f"it took {seconds:.1f} s")
            namespace.wait_ready(2)
            namespace.do("rollout", "restart", "deployment/shop")
            namespace.do("rollout", "status", "deployment/shop", "--timeout=240s", seconds=300)
            until(lambda: not {pod["metadata"]["name"] for pod in pods} & namespace.names() and len(namespace.names()) == 2,
                  lambda: f"two others: {namespace.names()}", POD_SECONDS)
            result = client.stop()
        print(f"ended in {seconds:.1f} s; {result}")
        equal((result["failed"], result["failures"]), (0, []), "lost requests")
        check(result["requests"] > 100 and result["addresses"] > 2, f"the client asked all: {result}")


main()
