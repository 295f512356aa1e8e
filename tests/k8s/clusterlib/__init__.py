# SPDX-License-Identifier: MIT
"""What the tests on a real Kubernetes share. The cluster comes from tests/k8s/cluster.py; a test that is started
without asks for it, and for Docker, itself."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent.parent
TESTS = HERE.parent
if "MUSTER_CLUSTER" not in os.environ:
    os.execv(sys.executable, [sys.executable, str(TESTS / "image/engine.py"), sys.executable, str(HERE / "cluster.py"),
                              sys.executable, *sys.argv])
sys.path[:0] = [str(TESTS / "run"), str(TESTS / "image")]

import k8slib
from imagelib import Watched, build_images, engines

from lib import check, equal, fail, proc_status, skip, until

POD_SECONDS = 120  # until a pod is ready, or gone, on a machine with other things to do
BOUNDED = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


class Container(Watched):
    """One of a pod's, seen from outside and inside."""

    def __init__(self, engine, status):
        super().__init__(engine, status["containerID"].partition("://")[2])
        self.status = status
        self.find()


class Cluster:
    def __init__(self, found, engine):
        self.words, self.engine = found["kubectl"], engine
        self.names = pathlib.Path(found["names"])
        self.inside = engine.inside

    def kubectl(self, *words, text=None, seconds=POD_SECONDS):
        return subprocess.run([*self.words, *map(str, words)], input=text, capture_output=True, text=True,
                              timeout=seconds, check=False)

    def do(self, *words, **options):
        """What must work; returns its output."""
        result = self.kubectl(*words, **options)
        if result.returncode != 0:
            fail(f"kubectl {' '.join(map(str, words))}: {result.stderr or result.stdout}")
        return result.stdout

    def get(self, *words):
        return json.loads(self.do("get", *words, "-o", "json"))

    def http(self, url):
        """Code and body of an answer, asked for from the node."""
        result = subprocess.run([*self.inside, "curl", "-s", "--max-time", "5", "-w", "\n%{http_code}", url], text=True,
                                capture_output=True, check=False)
        body, _, code = result.stdout.rpartition("\n")
        return int(code or 0), body

    @contextlib.contextmanager
    def overlay(self, name):
        """An overlay as users apply it, gone behind the `with` block; gives its Namespace."""
        with self.applied(k8slib.render(k8slib.MANIFESTS / "overlays" / name, k8slib.kustomize())) as namespace:
            yield namespace

    @contextlib.contextmanager
    def namespace(self):
        """One for what brings none."""
        name = f"muster-{uuid.uuid4().hex[:8]}"
        self.do("create", "namespace", name)
        with self.removed(Namespace(self, name)) as namespace:
            yield namespace

    @contextlib.contextmanager
    def applied(self, text):
        """All objects of it, in a namespace of their own: tests run beside each other."""
        name = f"muster-{uuid.uuid4().hex[:8]}"
        text = older(text).replace("namespace: muster\n", f"namespace: {name}\n")
        text = text.replace("  name: muster\n---", f"  name: {name}\n---")
        self.do("apply", "-f", "-", text=text)
        with self.removed(Namespace(self, name)) as namespace:
            yield namespace

    @contextlib.contextmanager
    def removed(self, namespace):
        try:
            yield namespace
        except BaseException:
            namespace.show()
            raise
        finally:
            self.kubectl("delete", "namespace", namespace.name, "--wait=false")
            self.kubectl("-n", namespace.name, "delete", "deployment,pod", "--all", "--grace-period=1", "--wait=true")


def older(text):
    """For Kubernetes 1.20, in which the budget has its first name."""
    return text.replace("apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n")


class Namespace:
    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def do(self, *words, **options):
        return self.cluster.do("-n", self.name, *words, **options)

    def get(self, *words):
        return self.cluster.get("-n", self.name, *words)

    def show(self):
        """What helps when a test has failed."""
        for words in (["get", "pods", "-o", "wide"], ["get", "events", "--sort-by=.lastTimestamp"],
                      ["logs", "--all-containers", "--tail=40", "-l", "app.kubernetes.io/part-of=muster"]):
            result = self.cluster.kubectl("-n", self.name, *words)
            print(f"--- kubectl {' '.join(words)}\n{result.stdout}{result.stderr}", file=sys.stderr)

    def pods(self):
        """Those that are not about to end."""
        return [pod for pod in self.get("pods")["items"] if "deletionTimestamp" not in pod["metadata"]]

    def names(self):
        """Of all pods, those that are ending included."""
        return {pod["metadata"]["name"] for pod in self.get("pods")["items"]}

    def name_pods(self, *names):
        """What a cluster's name server does for Services that lead to one pod each, once those have addresses."""
        found = {name: until(lambda name=name: self.pod(name)["status"].get("podIP"), f"address of {name}", POD_SECONDS)
                 for name in names}
        (self.cluster.names / self.name).write_text(
            "".join(f"{ip} {name} {name}.{self.name}.svc.cluster.local\n" for name, ip in found.items()))

    def wait_ready(self, count):
        """The pods, once so many are there and all are ready."""
        def ready():
            found = self.pods()
            return found if len(found) == count and all(map(is_ready, found)) else None

        return until(ready, lambda: f"{count} pods are ready: {[condition_text(pod) for pod in self.pods()]}",
                     POD_SECONDS)

    def pod(self, name):
        return self.get("pod", name)

    def container(self, pod, name="muster"):
        statuses = self.pod(pod["metadata"]["name"])["status"]["containerStatuses"]
        return Container(self.cluster.engine, next(each for each in statuses if each["name"] == name))

    def restarts(self, pod):
        """Of its containers, by name."""
        return {each["name"]: each["restartCount"]
                for each in self.pod(pod["metadata"]["name"])["status"]["containerStatuses"]}

    def exec(self, pod, *words, container="muster"):
        return self.cluster.kubectl("-n", self.name, "exec", pod["metadata"]["name"], "-c", container, "--", *words)

    def endpoints(self):
        """The addresses that a Service leads to."""
        subsets = self.get("endpoints", "shop").get("subsets", [])
        return {each["ip"] for subset in subsets for each in subset.get("addresses", [])}


def is_ready(pod):
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def condition_text(pod):
    return f"{pod['metadata']['name']}: {pod['status'].get('phase')}, ready {is_ready(pod)}"


def url(pod, path, port=9180):
    return f"http://{pod['status']['podIP']}:{port}{path}"


def cluster():
    """The test is skipped where there is none."""
    found = json.loads(os.environ["MUSTER_CLUSTER"])
    if "refused" in found:
        skip(found["refused"])
    engine = next(each for each in engines() if each.name == "docker")
    build_images(engine)
    return Cluster(found, engine)


def check_hardened(container, uid):
    """What the pod's securityContext asks for holds for each process, seen from outside."""
    processes = container.processes()
    check(processes, "no process is seen")
    for pid, line in processes:
        status = proc_status(pid)
        equal(status["Uid"].split(), [str(uid)] * 4, f"user of {line}")
        equal({int(status[kind], 16) for kind in BOUNDED}, {0}, f"capabilities of {line}")
        equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), f"no_new_privs and seccomp of {line}")


class Client:
    """Asks the Service all the time, from the node; .stop() gives what came of it."""

    def __init__(self, namespace):
        cluster = namespace.cluster
        watch = [*cluster.words, "-n", namespace.name, "get", "endpoints", "shop", "--watch", "-o", "json"]
        self.process = subprocess.Popen([*cluster.inside, sys.executable, str(HERE / "clusterlib/client.py"), *watch],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self):
        return json.loads(self.process.communicate(timeout=POD_SECONDS)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Follower:
    """The output of a pod's container to its end."""

    def __init__(self, namespace, pod):
        self.process = subprocess.Popen([*namespace.cluster.words, "-n", namespace.name, "logs", "--follow", "-c",
                                         "muster", pod["metadata"]["name"]], stdout=subprocess.PIPE, text=True)

    def text(self):
        return self.process.communicate(timeout=POD_SECONDS)[0]


def end_pod(namespace, pod):
    """As `kubectl delete pod` does it, until it is gone. While it drains, its sidecar says so. Returns the seconds
    that it took, and what muster-init said."""
    name, cluster = pod["metadata"]["name"], namespace.cluster
    follower = Follower(namespace, pod)
    begin = time.monotonic()
    namespace.do("delete", "pod", name, "--wait=false")
    until(lambda: cluster.http(url(pod, "/readyz")) == (503, "draining\n"), lambda: f"{name} says that it drains: "
          f"{cluster.http(url(pod, '/readyz'))}")
    equal(cluster.http(url(pod, "/", 8080)), (200, "ready\n"), "the API while it drains")
    until(lambda: cluster.kubectl("-n", namespace.name, "get", "pod", name).returncode != 0, f"{name} is gone",
          POD_SECONDS)
    return time.monotonic() - begin, follower.text()
