# SPDX-License-Identifier: MIT
"""`docker compose up` in compose/ starts hosts, Redis and Prometheus in their order; each gets over a kill -9 of a
service, of a sidecar, of a whole host; `docker compose down` ends all in order, within the grace, nobody killed."""
import os
import re
import signal
import time

from imagelib import BASE, build_images
from imagelib.compose import PROMETHEUS, UP_SECONDS, Project, docker, make_prometheus

from lib import ROOT, check, contains, equal, until

FOLDER = ROOT / "compose"
PORTS = {"MAINPC_PORT": "19180", "PC2_PORT": "19181", "WEB_PORT": "18080", "PROMETHEUS_PORT": "19090"}
MAINPC, PC2, WEB, PROMETHEUS_URL = (f"http://127.0.0.1:{port}" for port in PORTS.values())
SERVICES = {"mainpc": {"memory", "planner", "tools", "api", "web", "digest"}, "pc2": {"weights", "model", "embedder"}}


def environment():
    version = re.search(r'MUSTER_VERSION "(.*)"', (ROOT / "common/version.h").read_text())[1]
    return PORTS | {"BASE": BASE, "BUILD_BASE": BASE, "PROMETHEUS_IMAGE": PROMETHEUS, "SOURCE_SUITE": "trixie",
                    "VERSION": version, "MUSTER_PROFILES": "batch", "COMPOSE_PROFILES": "fallback"}


def check_files(engine, env):
    for files in (["compose.yaml"], ["compose.yaml", "gpu.yaml"]):
        options = [word for name in files for word in ("--file", name)]
        Project(engine, FOLDER, *options, env=env).do("--profile", "*", "config", "--quiet")


def states(project, url):
    status = project.get_json(f"{url}/status") or {"services": []}
    return {service["name"]: service["state"] for service in status["services"]
            if not service["name"].startswith(("address:", "muster-sidecar", "pc2/"))}


def check_pages(project):
    """What the stack shows where its ports are published."""
    for host, url in (("mainpc", MAINPC), ("pc2", PC2)):
        contains(project.get(url + "/"), "<html", f"dashboard of {host}")
        status = project.get_json(f"{url}/status")
        equal((status["host"], status["mode"]), (host, "container"), "host and mode")
        equal(set(states(project, url).values()) - {"completed"}, {"ready"}, f"states of {host}")
        check(SERVICES[host] <= set(states(project, url)), f"services of {host}: {states(project, url)}")
    equal(project.get(WEB + "/"), "ready\n", "what the API says through nginx")
    equal(project.get_json(f"{MAINPC}/resolve/redis")["host"], "redis", "host of the address redis")
    peers = {peer["name"]: peer["state"] for peer in project.get_json(f"{MAINPC}/status")["peers"]}
    equal(peers, {"pc2": "ok"}, "peers of mainpc")
    waited = [each["state"] for each in project.get_json(f"{MAINPC}/status")["services"] if each["name"] == "pc2/model"]
    equal(waited, ["ready"], "the service of pc2 that the planner waits for")


def check_prometheus(project):
    def targets():
        found = project.get_json(f"{PROMETHEUS_URL}/api/v1/targets") or {"data": {"activeTargets": []}}
        return {each["labels"]["instance"]: each["health"] for each in found["data"]["activeTargets"]}

    hosts = {f"{host}:9180": "up" for host in SERVICES}
    until(lambda: targets() == hosts, lambda: f"targets are {targets()}", 60)
    groups = project.get_json(f"{PROMETHEUS_URL}/api/v1/rules")["data"]["groups"]
    check(any(rule["name"] == "MusterHostDown" for group in groups for rule in group["rules"]), f"rules: {groups}")
    until(lambda: {rule["health"] for group in project.get_json(f"{PROMETHEUS_URL}/api/v1/rules")["data"]["groups"]
                   for rule in group["rules"]} == {"ok"}, "all rules were evaluated", 60)


def check_hardened(project):
    for service in ("mainpc", "pc2", "redis", "prometheus"):
        container = project.container(service)
        check(container.inspect("HostConfig.ReadonlyRootfs") == "true", f"root of {service} can be written")
        check(container.inspect("Config.User").split(":")[0] not in ("", "0"), f"{service} is root")


def kill_one(project, command):
    """Ends a process of mainpc from outside; it comes back, and the rest stays as it was."""
    host = project.container("mainpc")
    victim = host.process(command)
    others = {pid for pid, line in host.processes() if not line.startswith((command, "musterctl"))}
    os.kill(victim, signal.SIGKILL)
    until(lambda: host.process(command) != victim, f"{command} is back")
    equal(host.exec("musterctl", "wait", "--timeout", "20s").returncode, 0, "all are ready again")
    check(others <= {pid for pid, _ in host.processes()}, "the others do not notice")


def kill_host(project):
    """Its first process ends as in a crash: Docker starts the container again, and all are ready again."""
    host, other = project.container("mainpc"), project.container("pc2")
    os.kill(host.pid, signal.SIGKILL)
    until(lambda: host.inspect("State.Running") == "true" and host.find().pid and
          int(host.inspect("RestartCount")) == 1, "mainpc runs again", 60)
    project.wait_healthy("mainpc")
    until(lambda: set(states(project, MAINPC).values()) == {"ready"}, lambda: f"{states(project, MAINPC)}", 60)
    equal(other.find().pid, project.container("pc2").pid, "first process of pc2")
    equal(other.inspect("RestartCount"), "0", "restarts of pc2")
    check_prometheus(project)


def lose_redis(project):
    """The address has a second place, which is taken when the first does not answer."""
    def host():
        return (project.get_json(f"{MAINPC}/resolve/redis") or {}).get("host")

    project.do("stop", "redis")
    until(lambda: host() == "redis-standby", lambda: f"redis is at {host()}", 90)
    project.do("start", "redis")
    until(lambda: host() == "redis", lambda: f"redis is at {host()}", 90)


def check_down(project):
    begin = time.monotonic()
    ends = project.down()
    check(time.monotonic() - begin < 30, "it ends")
    equal(set(ends), {"mainpc", "pc2", "redis", "redis-standby", "prometheus"}, "containers")
    for service, end in ends.items():
        equal((service, end.code, set(end.signals)), (service, 0, {"15"}), "code and signals")
        if service in SERVICES:
            contains(end.output, "none had to be killed", f"last word of {service}")
    equal(project.do("ps", "--all", "--quiet"), "", "containers left")


def main():
    engine = docker()
    build_images(engine)
    make_prometheus(engine)
    env = environment()
    check_files(engine, env)
    with Project(engine, FOLDER, env=env) as project:
        project.do("up", "--build", "--wait", "--wait-timeout", "240", seconds=UP_SECONDS)
        check_pages(project)
        check_prometheus(project)
        check_hardened(project)
        kill_one(project, "/opt/reference/agent 8004 ")
        kill_one(project, "/usr/local/bin/muster-sidecar ")
        kill_host(project)
        lose_redis(project)
        check_down(project)


main()
