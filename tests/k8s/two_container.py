# SPDX-License-Identifier: MIT
"""The sidecar as a second container that shares the runtime directory: another user, who probes for muster-init and
may change nothing; each can be restarted without the other; it answers to the end of a shutdown in which no request is
lost."""
import json
import os
import signal

from clusterlib import POD_SECONDS, Client, check_hardened, cluster, end_pod, url

from lib import check, contains, equal, until


def check_answers(kubernetes, namespace, pod):
    for path in ("/livez", "/readyz", "/startupz"):
        equal(kubernetes.http(url(pod, path)), (200, "ok\n"), path)
    status = json.loads(kubernetes.http(url(pod, "/status"))[1])
    services = {each["name"]: (each["ready"], each["memory_bytes"]) for each in status["services"]}
    equal(services, {name: (True, None) for name in ("redis", "api", "web")}, "services, their processes out of sight")
    probes = {each["name"]: each["probe"] and each["probe"]["kind"] for each in status["services"]}
    equal((probes["api"], probes["web"]), ("http", "http"), "probes")
    contains(kubernetes.http(url(pod, "/metrics"))[1], 'muster_service_ready{service="web"} 1', "metrics")
    check(not any("muster-sidecar" in line for _, line in namespace.container(pod).processes()),
          "no sidecar runs beside muster-init")


def check_limits(namespace, pod):
    """What the second container may do with the first's directory."""
    contains(namespace.exec(pod, "musterctl", "status", container="sidecar").stdout, "web", "status")
    equal(namespace.exec(pod, "musterctl", "stop", "api", container="sidecar").returncode, 5, "an order")
    equal(namespace.exec(pod, "musterctl", "restart", "api").returncode, 0, "an order of muster-init's own user")
    for place in ("/run/muster/x", "/run/muster/init/x"):
        check(namespace.exec(pod, "touch", place, container="sidecar").returncode != 0, f"{place} can be written")


def kill_sidecar(kubernetes, namespace, pod):
    os.kill(namespace.container(pod, "sidecar").process("muster-sidecar"), signal.SIGKILL)
    until(lambda: namespace.restarts(pod) == {"muster": 0, "sidecar": 1}, "only the sidecar is restarted", POD_SECONDS)
    until(lambda: kubernetes.http(url(pod, "/readyz")) == (200, "ok\n"), "it answers again", POD_SECONDS)


def stop_init(kubernetes, namespace, pod):
    """muster-init hangs: the kubelet restarts its container, and the sidecar meets the new one's page."""
    os.kill(namespace.container(pod).pid, signal.SIGSTOP)
    until(lambda: namespace.restarts(pod) == {"muster": 1, "sidecar": 1}, "only muster-init is restarted", POD_SECONDS)
    namespace.wait_ready(2)
    until(lambda: kubernetes.http(url(pod, "/readyz")) == (200, "ok\n"), "the sidecar says so", POD_SECONDS)


def main():
    kubernetes = cluster()
    with kubernetes.overlay("two-container") as namespace:
        pods = namespace.wait_ready(2)
        check_answers(kubernetes, namespace, pods[0])
        check_hardened(namespace.container(pods[0]), 10001)
        check_hardened(namespace.container(pods[0], "sidecar"), 10002)
        check_limits(namespace, pods[0])
        kill_sidecar(kubernetes, namespace, pods[0])
        stop_init(kubernetes, namespace, pods[0])
        until(lambda: len(namespace.endpoints()) == 2, "both behind the Service", POD_SECONDS)
        with Client(namespace) as client:
            seconds, said = end_pod(namespace, pods[1])
            contains(said, "none had to be killed", "last word")
            namespace.wait_ready(2)
            result = client.stop()
        print(f"ended in {seconds:.1f} s; {result}")
        equal((result["failed"], result["failures"]), (0, []), "lost requests")


main()
