#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command with a Kubernetes of one node: tests/image/engine.py tests/k8s/cluster.py COMMAND...

Starts etcd, the API server, the controller manager, the scheduler and a kubelet, beside the Docker that
tests/image/engine.py has started, and in its namespaces: what is mounted, listened on and routed is not the
machine's, and a kubelet finds the settings of the kernel that it would make there already. All are ended
when the command has ended. The programs are those that scripts/build-kubernetes leaves in its folder.

The command finds MUSTER_CLUSTER in its environment, JSON: "kubectl" (the words to put before its arguments)
and "names" (a folder of host files that pods ask for names), or "refused" (why there is no cluster).
"""

import contextlib
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "image"))
import engine
from engine import Daemon, Refused, need, refuse, run, say, until

PROGRAMS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "muster-k8s/bin"
STATIC = engine.BUILD / "static"
SECONDS = 120  # the API server fills its storage at first
NODE = "node"
ADDRESS = "127.0.0.1"
PORTS = {"etcd": 2379, "peers": 2380, "api": 6443}
PAUSE = "muster-pause"  # what holds a pod's namespaces: muster-init as catatonit
# settings of the kernel, and as what the kubelet wants to find them
KERNEL = {"vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10, "kernel/panic_on_oops": 1,
          "kernel/keys/root_maxkeys": 1000000, "kernel/keys/root_maxbytes": 25000000}

KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: "https://{address}:{port}", insecure-skip-tls-verify: true}}}}]
users: [{{name: test, user: {{token: {token}}}}}]
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
current-context: test
"""

# no cgroups of its own besides Docker's, and nothing changed that belongs to the machine
KUBELET = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {address}
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
protectKernelDefaults: true
makeIPTablesUtilChains: false
failSwapOn: false
localStorageCapacityIsolation: false
evictionHard: {{memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}}
imageGCHighThresholdPercent: 100
maxPods: 20
nodeStatusUpdateFrequency: 2s
syncFrequency: 2s
registryPullQPS: 0
resolvConf: /etc/resolv.conf
clusterDNS: [{address}]
clusterDomain: cluster.local
"""


class Cluster:
    def __init__(self, folder, docker):
        self.folder, self.docker = folder, docker
        self.stack = contextlib.ExitStack()
        self.kubectl = [*docker["inside"], PROGRAMS / "kubectl", "--kubeconfig", folder / "kubeconfig"]
        self.kubectl = [str(word) for word in self.kubectl]

    def daemon(self, name, *words, program=None):
        words = [*self.docker["inside"], program or PROGRAMS / name, *words]
        daemon = Daemon(words, self.folder / f"{name}.log")
        self.stack.callback(daemon.stop)
        return daemon

    def ask(self, *words):
        return run([*self.kubectl, *words])

    def start(self):
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"):
            if not (PROGRAMS / name).exists():
                refuse(f"{PROGRAMS / name} is not there (scripts/build-kubernetes)")
        if not (STATIC / "muster-init").exists():
            refuse(f"{STATIC / 'muster-init'} is not there (make STATIC=1 all)")
        self.make_files()
        self.make_pause()
        etcd = self.start_etcd()
        server = self.start_server()
        until(lambda: etcd.check() or server.check() or self.ask("get", "--raw", "/readyz").stdout == "ok", SECONDS,
              "an answer of the API server")
        self.start_controllers()
        self.start_names()
        kubelet = self.start_kubelet()
        until(lambda: kubelet.check() or self.is_ready(), SECONDS, "a node that is ready")

    def make_files(self):
        self.token = secrets.token_hex(16)
        (self.folder / "tokens.csv").write_text(f'{self.token},test,test,"system:masters"\n')
        (self.folder / "kubeconfig").write_text(
            KUBECONFIG.format(address=ADDRESS, port=PORTS["api"], token=self.token))
        (self.folder / "kubelet.yaml").write_text(KUBELET.format(address=self.node_address()))
        key = self.folder / "accounts.key"
        result = run([need("openssl"), "genrsa", "-out", key, "2048"])
        if result.returncode != 0:
            refuse(f"openssl: {engine.last_line(result.stderr)}")

    def make_pause(self):
        """A pod's first process, as the kubelet expects an image of it."""
        if engine.ask(self.docker, "inspect", "--type", "image", PAUSE).returncode == 0:
            engine.ask(self.docker, "rmi", "--force", PAUSE)
        (self.folder / "pause").mkdir()
        (self.folder / "pause/Dockerfile").write_text(
            'FROM scratch\nCOPY muster-init /catatonit\nENTRYPOINT ["/catatonit", "-P"]\n')
        (self.folder / "pause/muster-init").write_bytes((STATIC / "muster-init").read_bytes())
        (self.folder / "pause/muster-init").chmod(0o755)
        result = engine.ask(self.docker, "build", "--tag", PAUSE, str(self.folder / "pause"))
        if result.returncode != 0:
            refuse(f"an image for pods: {engine.last_line(result.stderr)}")

    def start_etcd(self):
        at, peers = (f"http://{ADDRESS}:{PORTS[name]}" for name in ("etcd", "peers"))
        return self.daemon("etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", at,
                           "--advertise-client-urls", at, "--listen-peer-urls", peers, "--initial-cluster",
                           f"default={peers}", "--initial-advertise-peer-urls", peers, "--unsafe-no-fsync",
                           program=need("etcd"))

    def start_server(self):
        key = self.folder / "accounts.key"
        return self.daemon(
            "kube-apiserver", f"--etcd-servers=http://{ADDRESS}:{PORTS['etcd']}", f"--secure-port={PORTS['api']}",
            f"--bind-address={ADDRESS}", f"--advertise-address={ADDRESS}", f"--cert-dir={self.folder}/certificates",
            f"--token-auth-file={self.folder}/tokens.csv", "--authorization-mode=AlwaysAllow",
            "--service-cluster-ip-range=10.96.0.0/24", "--service-account-issuer=https://test",
            f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
            "--endpoint-reconciler-type=none", "--kubelet-preferred-address-types=InternalIP")

    def start_controllers(self):
        common = [f"--kubeconfig={self.folder}/kubeconfig", "--leader-elect=false", "--port=0"]
        self.daemon("kube-controller-manager", *common, f"--cert-dir={self.folder}/certificates",
                    f"--service-account-private-key-file={self.folder}/accounts.key", "--secure-port=10257")
        self.daemon("kube-scheduler", *common, f"--cert-dir={self.folder}/certificates", "--secure-port=10259")

    def start_kubelet(self):
        for name, value in KERNEL.items():
            path = self.folder / name.replace("/", ".")
            path.write_text(f"{value}\n")
            result = run([*self.docker["inside"], "mount", "--bind", path, f"/proc/sys/{name}"])
            if result.returncode != 0:
                refuse(f"{name}: {engine.last_line(result.stderr)}")
        return self.daemon(
            "kubelet", f"--config={self.folder}/kubelet.yaml", f"--kubeconfig={self.folder}/kubeconfig",
            f"--root-dir={self.folder}/kubelet", f"--cert-dir={self.folder}/certificates",
            f"--hostname-override={NODE}", f"--node-ip={self.node_address()}", "--container-runtime=docker",
            f"--docker-endpoint={self.docker['environment']['DOCKER_HOST']}", f"--pod-infra-container-image={PAUSE}",
            f"--volume-plugin-dir={self.folder}/volumes", f"--log-dir={self.folder}",
            f"--seccomp-profile-root={self.folder}/seccomp")

    def start_names(self):
        """Names of Services are what tests write into files of this folder, as /etc/hosts has them."""
        (self.folder / "names").mkdir()
        self.folder.chmod(0o755)
        self.daemon("dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--local=/cluster.local/",
                    f"--hostsdir={self.folder}/names", f"--listen-address={self.node_address()}", "--bind-interfaces",
                    "--conf-file=/dev/null", "--pid-file", "--user=root", program=need("dnsmasq"))

    def node_address(self):
        """That of the bridge of Docker, which pods reach."""
        words = run([*self.docker["inside"], "ip", "-o", "-4", "address", "show", "docker0"]).stdout.split()
        return words[3].partition("/")[0] if len(words) > 3 else refuse("docker0 has no address")

    def is_ready(self):
        found = self.ask("get", "node", NODE, "-o",
                         'jsonpath={.status.conditions[?(@.type=="Ready")].status}').stdout == "True"
        return found and self.ask("-n", "default", "get", "serviceaccount", "default").returncode == 0

    def logs(self):
        for path in sorted(self.folder.glob("*.log")):
            yield path.name, path.read_text(errors="replace")

    def stop(self):
        """Pods first, as long as there is somebody who ends them."""
        self.ask("delete", "pods", "--all", "--all-namespaces", "--grace-period=1", "--timeout=30s")
        self.stack.close()
        for line in run([*self.docker["inside"], "cat", "/proc/mounts"]).stdout.splitlines():
            if line.split()[1].startswith(str(self.folder)):
                run([*self.docker["inside"], "umount", "--lazy", line.split()[1]])


def serve(command):
    docker = json.loads(os.environ.get("MUSTER_ENGINES", '{"docker": {"refused": "started without engine.py"}}'))["docker"]
    with tempfile.TemporaryDirectory(prefix="muster-", ignore_cleanup_errors=True) as name:
        cluster = None
        try:
            if "refused" in docker:
                refuse(docker["refused"])
            cluster = Cluster(pathlib.Path(name), docker)
            say("starting a Kubernetes")
            cluster.start()
            found = {"kubectl": cluster.kubectl, "names": str(cluster.folder / "names")}
        except Refused as refused:
            found = {"refused": str(refused)}
            say(f"without Kubernetes: {refused}")
        try:
            return subprocess.call(command, env=os.environ | {"MUSTER_CLUSTER": json.dumps(found)})
        finally:
            if cluster:
                if keep := os.environ.get("MUSTER_KEEP_LOGS"):
                    for file, text in cluster.logs():
                        (pathlib.Path(keep) / file).write_text(text)
                cluster.stop()


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: tests/image/engine.py tests/k8s/cluster.py COMMAND...")
    engine.signal.signal(engine.signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(serve(sys.argv[1:]))


if __name__ == "__main__":
    main()
