# SPDX-License-Identifier: MIT
"""A pod with everything inside: not ready before its services are, hardened as it says, a service that dies is
started again without the container's being so, and a muster-init that hangs is restarted by its liveness probe."""
import os
import signal

from clusterlib import POD_SECONDS, check_hardened, cluster, url

from lib import check, contains, equal, until


def check_answers(cluster, namespace, pod):
    for path in ("/livez", "/readyz", "/startupz"):
        equal(cluster.http(url(pod, path)), (200, "ok\n"), path)
    equal(cluster.http(url(pod, "/", 8080)), (200, "ready\n"), "the API, through nginx")
    contains(cluster.http(url(pod, "/status"))[1], '"mode":"kubernetes"', "mode")
    contains(namespace.exec(pod, "musterctl", "status").stdout, "web", "musterctl in the container")


def check_inside(namespace, pod):
    """The same seen from inside."""
    def said(*words):
        return namespace.exec(pod, *words).stdout.strip()

    equal(said("id", "-u"), "10001", "user")
    check(namespace.exec(pod, "touch", "/usr/x").returncode != 0, "the root can be written to")
    equal(said("stat", "-c", "%A %u", "/run/muster/init"), "drwxr-sr-x 10001", "the runtime directory")
    check(namespace.exec(pod, "test", "-e", "/var/run/secrets/kubernetes.io").returncode != 0, "there is a token")


def kill_service(namespace, pod):
    container = namespace.container(pod)
    victim = container.process("/opt/reference/agent 8001")
    os.kill(victim, signal.SIGKILL)
    until(lambda: container.process("/opt/reference/agent 8001") != victim, "the service is back")
    equal(namespace.exec(pod, "musterctl", "wait", "--timeout", "30s").returncode, 0, "all ready again")
    equal(namespace.restarts(pod), {"muster": 0}, "restarts of the container")


def check_liveness(namespace, pod):
    """muster-init and its sidecar stand still: nobody answers, and the kubelet starts the container again."""
    container = namespace.container(pod)
    for pid, line in container.processes():
        if "muster" in line:
            os.kill(pid, signal.SIGSTOP)
    until(lambda: namespace.restarts(pod) == {"muster": 1}, "the kubelet restarts the container", POD_SECONDS)
    namespace.wait_ready(2)
    events = [each["message"] for each in namespace.get("events")["items"] if each["reason"] == "Unhealthy"]
    check(any("Liveness probe failed" in each for each in events), f"events: {events}")


def main():
    kubernetes = cluster()
    with kubernetes.overlay("plain") as namespace:
        pod = until(namespace.pods, "a pod")[0]
        until(lambda: namespace.pod(pod["metadata"]["name"])["status"].get("podIP"), "its address", POD_SECONDS)
        pods = namespace.wait_ready(2)
        until(lambda: namespace.endpoints() == {pod["status"]["podIP"] for pod in pods}, "both behind the Service")
        check_answers(kubernetes, namespace, pods[0])
        check_hardened(namespace.container(pods[0]), 10001)
        check_inside(namespace, pods[0])
        kill_service(namespace, pods[0])
        check_liveness(namespace, pods[1])


main()
