#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The reference stack: 84 services, 58 on the host `mainpc` and 26 on `pc2`, in eight layers.

    generate.py [OPTIONS] ini DIR       DIR/HOST/muster.ini and what belongs to it
    generate.py [OPTIONS] compose DIR   DIR/compose.yaml, with the same below it
    generate.py [OPTIONS] pods DIR      DIR/pods.yaml: for each host a pod, its configuration, its name
    generate.py [OPTIONS] list          a table of the services

It is the data of the demo, of tests and of the benchmark, and the same on every machine: one table of
names, one fixed seed. Redis and nginx are real; five Python agents have much to import; the rest are one
small program, agent.c, that answers 503 until its start delay has passed. Services depend on one or two
of the layer above them, some of them on the other host's.

From Python: services() gives them all, and muster_ini(), compose() and pods() make texts of them.
"""

import argparse
import dataclasses
import json
import pathlib
import random

SEED = 59  # the longest chain goes from host to host
HOSTS = ("mainpc", "pc2")
LAYERS = (  # of mainpc, of pc2
    ("redis config secrets registry clock audit", "gpu disks settings"),
    ("vectors documents graph blobs sessions queue events measures", "models tensors features scratch"),
    ("embedder reranker tokenizer classifier languages moderation speech voice", "llm-large llm-small vision diffusion"),
    ("search crawler calendar mail files shell code-runner calculator translator", "images video pages audio"),
    ("planner researcher writer critic coder tester reviewer summarizer analyst tutor",
     "illustrator narrator transcriber archivist captioner"),
    ("supervisor router memory scheduler evaluator budget approvals reporter", "batcher trainer exporter"),
    ("api gateway websocket webhooks console notifications", "model-api ingest"),
    ("web status digest", "front"),
)
KINDS = {"redis": "redis", "web": "nginx"} | dict.fromkeys(
    ("embedder", "llm-large", "llm-small", "vision", "planner"), "python")
DELAYS = {"agent": (150, 1500), "python": (1500, 2500)}  # milliseconds from start to ready
REACHES_OVER = 0.2  # how many depend on the other host, too
SIDECAR_PORT = 9180
RUN_DIR = "/run/muster/init"  # of a pod


@dataclasses.dataclass(frozen=True)
class Service:
    name: str
    host: str
    layer: int  # from 0
    kind: str  # agent, python, redis, nginx
    delay: int  # milliseconds, scaled; 0 for the real ones
    port: int
    needs: tuple  # names, those of the other host as HOST/NAME

    @property
    def key(self):
        return f"{self.host}/{self.name}"

    def need_keys(self):
        return [need if "/" in need else f"{self.host}/{need}" for need in self.needs]


@dataclasses.dataclass(frozen=True)
class Setting:
    """What differs from place to place; the defaults are those of containers."""

    scale: float = 1.0  # of all delays
    peers: bool = True  # whether hosts wait for each other's services
    first_port: int = 8001
    sidecars: tuple = (SIDECAR_PORT, SIDECAR_PORT)  # ports on mainpc and pc2
    listen: str = "0.0.0.0"  # for what others reach: sidecars, redis, nginx
    mode: str = "${MUSTER_MODE:-auto}"
    home: str = "/opt/reference"  # where agent and agent.py are
    config: str = "/etc/muster"  # where muster.ini of the host is
    data: str = "/tmp"  # for nginx
    python: str = "python3"
    user: str = ""  # of all services; empty: init's own


# ---- the definition ----


def pick(rng, low, high):
    """A whole number; only random() promises the same numbers in every version of Python."""
    return low + int(rng.random() * (high - low + 1))


def choose(rng, names, count):
    """Up to `count` different ones of them, in their order."""
    found = {pick(rng, 0, len(names) - 1) for _ in range(count)}
    return [names[number] for number in sorted(found)]


def needs_of(rng, name, host, above):
    """What a service depends on; `above`: the names of the layer before it, by host."""
    other = HOSTS[1 - HOSTS.index(host)]
    own = choose(rng, above[host], pick(rng, 1, 2))
    if rng.random() < REACHES_OVER:
        own += [f"{other}/{each}" for each in choose(rng, above[other], 1)]
    if name == "web" and "api" not in own:
        own.append("api")
    if KINDS.get(name) == "python":
        own.append("redis" if host == HOSTS[0] else f"{HOSTS[0]}/redis")
    return own


def services(setting=Setting()):
    """All 84, in the order of their layers."""
    rng = random.Random(SEED)
    found, above = [], None
    for number, layer in enumerate(LAYERS):
        names = {host: words.split() for host, words in zip(HOSTS, layer)}
        for host in HOSTS:
            for name in names[host]:
                kind = KINDS.get(name, "agent")
                delay = pick(rng, *DELAYS[kind]) if kind in DELAYS else 0
                needs = needs_of(rng, name, host, above) if above else []
                needs = [need for need in needs if setting.peers or "/" not in need]
                found.append(Service(name, host, number, kind, round(delay * setting.scale),
                                     setting.first_port + len(found), tuple(needs)))
        above = names
    return found


def critical_path(stack):
    """Milliseconds of the longest chain of delays: no scheduler can be faster."""
    ends = {}
    for service in stack:
        ends[service.key] = max((ends[key] for key in service.need_keys()), default=0) + service.delay
    return max(ends.values())


# ---- muster.ini ----


def command(service, setting):
    """The words of its command line."""
    if service.kind == "redis":
        return (f"redis-server --port {service.port} --bind {setting.listen} --protected-mode no --save '' "
                f"--loglevel warning --supervised systemd --daemonize no")
    if service.kind == "nginx":
        return f"nginx -e stderr -c {setting.config}/nginx.conf"
    program = f"{setting.python} {setting.home}/agent.py" if service.kind == "python" else f"{setting.home}/agent"
    return f"{program} {service.port} {service.delay}"


def section(service, setting):
    health = f"http://:{service.port}/health"
    lines = [f"[service:{service.name}]", f"command         = {command(service, setting)}",
             f"readiness_probe = {'notify' if service.kind == 'redis' else health}"]
    if service.needs:
        lines.append(f"depends_on      = {', '.join(service.needs)}")
    if service.kind == "nginx":
        lines.append("stop_signal     = SIGQUIT")
    if service.kind == "python":
        lines.append("environment     = REDIS_AT=${address:redis}")
    if setting.user:
        lines.append(f"user            = {setting.user}")
    return "\n".join(lines)


def places(name, port):
    """An address that is another container's or pod's by its name, and else this machine."""
    return "\n".join([f"[address:{name}]", f"port        = {port}", "development = 127.0.0.1",
                      "testing     = 127.0.0.1"])


def book(host, stack, setting):
    """Addresses and peers of a host."""
    redis = next(service for service in stack if service.kind == "redis")
    where = "127.0.0.1" if redis.host == host else redis.host
    parts = [places("redis", redis.port) + f"\ncontainer   = {where}\nkubernetes  = {where}"]
    for other, port in zip(HOSTS, setting.sidecars):
        if setting.peers and other != host:
            parts.append(places(other, port) + f"\ncontainer   = {other}\nkubernetes  = {other}")
            parts.append(f"[peer:{other}]\nurl = http://${{address:{other}}}/")
    return parts


def muster_ini(host, stack, setting=Setting()):
    """The configuration of one host."""
    port = setting.sidecars[HOSTS.index(host)]
    head = [f"; Made by generate.py: {sum(1 for each in stack if each.host == host)} of {len(stack)} services.",
            f"[muster]\nname = {host}\nmode = {setting.mode}", f"[sidecar]\nlisten = {setting.listen}:{port}"]
    return "\n\n".join(head + book(host, stack, setting) +
                       [section(service, setting) for service in stack if service.host == host]) + "\n"


def nginx_conf(stack, setting=Setting()):
    ports = {service.name: service.port for service in stack}
    folders = "".join(f"\n    {name}_temp_path {setting.data}/{name};"
                      for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off;
worker_processes 1;
pid {setting.data}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;{folders}
    server {{
        listen {setting.listen}:{ports['web']};
        location / {{ proxy_pass http://127.0.0.1:{ports['api']}; }}
    }}
}}
"""


def files(host, stack, setting=Setting()):
    """What lies in a host's configuration directory, by name."""
    found = {"muster.ini": muster_ini(host, stack, setting)}
    if any(service.kind == "nginx" and service.host == host for service in stack):
        found["nginx.conf"] = nginx_conf(stack, setting)
    return found


# ---- containers ----


def yaml(value, indent=0):
    """Dictionaries, lists and scalars, as lines of YAML."""
    pad = "  " * indent
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, (dict, list)) and each:
                yield f"{pad}{key}:"
                yield from yaml(each, indent + 1)
            elif isinstance(each, str) and "\n" in each:
                yield f"{pad}{key}: |"
                yield from (f"{pad}  {line}" if line else "" for line in each.splitlines())
            else:
                yield f"{pad}{key}: {json.dumps(each)}"
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, (dict, list)):
                first, *rest = yaml(each, indent + 1)
                yield f"{pad}- {first.strip()}"
                yield from rest
            else:
                yield f"{pad}- {json.dumps(each)}"


def compose(stack, setting=Setting()):
    """A Compose file of both hosts; their files are expected beside it, in a folder of each host's name."""
    found = {}
    for number, (host, sidecar) in enumerate(zip(HOSTS, setting.sidecars)):
        shown = [(host, sidecar + number, sidecar)]
        shown += [("web", each.port, each.port) for each in stack if each.host == host and each.kind == "nginx"]
        found[host] = {
            "image": "${REFERENCE_IMAGE:-muster-reference}",
            "hostname": host,
            "environment": {"MUSTER_MODE": "container"},
            "volumes": [f"./{host}:{setting.config}:ro"],
            "ports": [f"127.0.0.1:${{{name.upper()}_PORT:-{outside}}}:{inside}" for name, outside, inside in shown],
            "read_only": True,
            "tmpfs": ["/tmp", "/run/muster"],
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "healthcheck": {"test": ["CMD", "musterctl", "health"], "interval": "2s", "timeout": "3s",
                            "start_period": "2m", "retries": 3},
            "stop_grace_period": "10s",
        }
    return "\n".join(yaml({"name": "muster-reference", "services": found})) + "\n"


def pods(stack, setting=Setting()):
    """Kubernetes objects of both hosts: of each a ConfigMap, a Pod and a Service."""
    found = []
    for host, sidecar in zip(HOSTS, setting.sidecars):
        labels = {"app.kubernetes.io/name": host, "app.kubernetes.io/part-of": "muster-reference"}
        named = {"name": host, "labels": labels}
        ports = [{"name": "sidecar", "containerPort": sidecar}]
        ports += [{"name": each.kind, "containerPort": each.port} for each in stack
                  if each.host == host and each.kind in ("redis", "nginx")]
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": files(host, stack, setting)})
        found.append({"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": pod_spec(host, ports, setting)})
        found.append({"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": {
            "selector": labels, "publishNotReadyAddresses": True,  # hosts wait for each other's services
            "ports": [{"name": port["name"], "port": port["containerPort"]} for port in ports]}})
    return found


def pod_spec(host, ports, setting):
    def probe(path, **more):
        return {"httpGet": {"path": path, "port": "sidecar"}, **more}

    return {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 15,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [{
            "name": "muster",
            "image": "muster-reference",
            "imagePullPolicy": "IfNotPresent",
            # a volume may be written to by others; in it muster-init makes a directory that may not
            "env": [{"name": "MUSTER_MODE", "value": "kubernetes"}, {"name": "MUSTER_RUN_DIR", "value": RUN_DIR}],
            "ports": ports,
            "startupProbe": probe("/startupz", periodSeconds=1, failureThreshold=320),  # start_timeout comes first
            "readinessProbe": probe("/readyz", periodSeconds=2),
            "livenessProbe": probe("/livez"),
            "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "config", "mountPath": setting.config, "readOnly": True},
                             {"name": "run", "mountPath": "/run/muster"}, {"name": "tmp", "mountPath": "/tmp"}],
        }],
        "volumes": [{"name": "config", "configMap": {"name": host}},
                    {"name": "run", "emptyDir": {"medium": "Memory"}}, {"name": "tmp", "emptyDir": {}}],
    }


# ----


def write(folder, found):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")


def write_hosts(folder, stack, setting):
    for host in HOSTS:
        write(folder / host, files(host, stack, setting))


def table(stack):
    for each in stack:
        print(f"{each.layer + 1} {each.key:24} {each.kind:7} {each.delay:5} ms  :{each.port}  {', '.join(each.needs)}")
    print(f"{len(stack)} services, critical path {critical_path(stack)} ms, "
          f"one after another {sum(each.delay for each in stack)} ms")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="of all start delays, such as 0.1")
    parser.add_argument("--without-peers", action="store_true", help="hosts do not wait for each other")
    parser.add_argument("what", choices=("ini", "compose", "pods", "list"))
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.what != "list" and arguments.folder is None:
        parser.error(f"{arguments.what} needs a directory")
    return arguments


def main():
    arguments = parse_arguments()
    setting = Setting(scale=arguments.scale, peers=not arguments.without_peers)
    stack = services(setting)
    if arguments.what == "list":
        table(stack)
    if arguments.what in ("ini", "compose"):
        write_hosts(arguments.folder, stack, setting)
    if arguments.what == "compose":
        write(arguments.folder, {"compose.yaml": compose(stack, setting)})
    if arguments.what == "pods":
        texts = ["\n".join(yaml(each)) + "\n" for each in pods(stack, setting)]
        write(arguments.folder, {"pods.yaml": "---\n".join(texts)})


if __name__ == "__main__":
    main()
