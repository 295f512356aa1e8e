# SPDX-License-Identifier: MIT
"""The small image: small, without a compiler, not root, on a read-only root; it gets over a kill -9 of a service and
of the sidecar, says its health, and stops within the engine's grace with nobody killed."""
import json
import os
import re
import signal
import tempfile
import time

from imagelib import TOOL, build_images, check_clean, copy_image, engines

from lib import ROOT, check, contains, equal, proc_parent, proc_status, read_proc, until

USER = "10001"
HARDENED = ["--read-only", "--tmpfs", "/run/muster:rw,noexec,nosuid,size=4m", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--pids-limit", "64", "--memory", "128m"]
CAPABILITIES = [word for name in ("SETUID", "SETGID", "KILL") for word in ("--cap-add", name)]
OWN = {"docker": ["--health-interval", "1s"],
       "podman": ["--no-healthcheck", "--read-only-tmpfs=false"]}  # else it makes /run anew, for root alone
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:9180
[service:db]
command = {TOOL} on TERM [ exit 0 ] notify READY=1 forever
readiness_probe = notify
[service:api]
command = {TOOL} on TERM [ exit 0 ] http 8000 /nothing forever
depends_on = db
readiness_probe = http://:8000/health
restart_backoff = 1ms..1ms
"""
AS_ROOT = CONFIG.replace("[service:api]\n", "[service:api]\nuser = nobody\n")


def check_sizes(sizes):
    for image, what in (("muster", "init+ctl"), ("muster:static", "bytes")):
        check(0 < sizes[image][what] <= 1_500_000, f"{image} adds {sizes[image][what]} bytes")


def check_settings(engine):
    config = json.loads(engine.do("inspect", "--type", "image", "muster"))[0]["Config"]
    equal((config["User"], config["StopSignal"], config["Entrypoint"]),
          (f"{USER}:{USER}", "SIGTERM", ["muster-init"]), "user, stop signal and entry point")
    equal(config["Healthcheck"]["Test"], ["CMD", "musterctl", "health"], "health check")
    labels = config["Labels"]
    version = re.search(r'MUSTER_VERSION "(.*)"', (ROOT / "common/version.h").read_text())[1]
    for name, value in (("title", "muster"), ("version", version), ("licenses", "MIT"),
                        ("base.name", "debian:bookworm-slim")):
        equal(labels[f"org.opencontainers.image.{name}"], value, f"label {name}")
    parts = json.loads(engine.do("run", "--rm", "--entrypoint", "cat", "muster", labels["muster.sbom"]))["components"]
    names = {part["name"] for part in parts}
    check({"muster", "libc6", "libinih", "musl-dev"} <= names, f"parts of the image: {sorted(names)}")


def check_contents(engine):
    check_clean(engine, "muster")
    equal(engine.run("run", "--rm", "muster").returncode, 2, "exit code without a program and a configuration")
    equal(engine.run("run", "--rm", "muster", "--", "sh", "-c", "exit 9").returncode, 9, "exit code of a program")
    equal(engine.run("run", "--rm", "muster", "--", "id", "-u").stdout, f"{USER}\n", "the user")


def lasting(container):
    """Its processes, but for those of the health check, which come and go."""
    return [(pid, line) for pid, line in container.processes() if not line.startswith("musterctl")]


def check_outside(container, users):
    """Users, capabilities, seccomp and mounts of all processes, as the machine sees them."""
    mounts = {line.split()[4]: line.split()[5].split(",") for line in
              read_proc(container.pid, "mountinfo").decode().splitlines()}
    check("ro" in mounts["/"] and "rw" in mounts["/run/muster"], f"mounts: {mounts}")
    processes = lasting(container)
    equal(len(processes), 4, f"number of processes of {processes}")
    for pid, command in processes:
        status = proc_status(pid)
        user = next(user for part, user in users.items() if part in command)
        equal(set(status["Uid"].split()), {user}, f"user of {command}")
        equal(status["NoNewPrivs"], "1", f"no_new_privs of {command}")
        equal(status["Seccomp"], "2", f"seccomp of {command}")
        if user != "0":
            equal(int(status["CapEff"], 16) | int(status["CapAmb"], 16), 0, f"capabilities of {command}")


def healthy(container):
    """As the engine sees it, where it looks by itself."""
    if container.engine.name == "docker":
        return container.inspect("State.Health.Status") == "healthy"
    return container.exec("musterctl", "health").returncode == 0


def survives_kills(container):
    for command in ("/usr/local/bin/muster-sidecar ", f"{TOOL} on TERM [ exit 0 ] http"):
        others = {pid for pid, line in lasting(container) if not line.startswith(command)}
        victim = container.process(command)
        equal(proc_parent(victim), container.pid, f"parent of {command}")
        os.kill(victim, signal.SIGKILL)
        until(lambda: container.process(command) != victim, f"{command} is back")
        equal(container.exec("musterctl", "wait", "--timeout", "20s").returncode, 0, "all are ready again")
        check(others <= {pid for pid, _ in lasting(container)}, "the others do not notice")


def stops(container):
    begin = time.monotonic()
    equal(container.stop(10), 0, "exit code")
    check(time.monotonic() - begin < 9, "ended within the engine's grace")
    contains(container.output, "none had to be killed", "last word")


def lives(engine):
    with engine.container(*OWN[engine.name], *HARDENED, "muster", config=CONFIG) as container:
        container.wait_line("all ready after")
        check_outside(container, {"": USER})
        until(lambda: healthy(container), "the engine sees its health", 60)
        survives_kills(container)
        container.ctl("signal", "db", "KILL")
        stops(container)


def lives_as_root(engine):
    """For services with users of their own PID 1 needs to be root: the others need not."""
    with engine.container(*OWN[engine.name], *HARDENED, *CAPABILITIES, "--user", 0, "muster",
                          config=AS_ROOT) as container:
        container.wait_line("all ready after")
        check_outside(container, {"muster-sidecar": USER, " http ": "65534", "": "0"})
        survives_kills(container)
        stops(container)


def is_copied_from(engine):
    """Its programs run in an image that has nothing else, not even a C library."""
    dockerfile = """FROM scratch
COPY --from=muster /usr/local/bin/muster-init /usr/local/bin/musterctl /
ENTRYPOINT ["/muster-init", "--"]
"""
    with tempfile.TemporaryDirectory(prefix="muster-test-") as empty:
        engine.do("build", *engine.build_options, "--tag", "muster-test-copied", "--file", "-", empty, input=dockerfile)
    try:
        equal(engine.run("run", "--rm", "muster-test-copied", "/musterctl", "status").returncode, 6,
              "exit code of a program without an init that supervises")
        equal(engine.run("run", "--rm", "muster-test-copied", "/nothing").returncode, 127, "exit code of none")
    finally:
        engine.run("rmi", "--force", "muster-test-copied")


docker = None
for engine in engines():
    if docker is None:
        docker = engine
        check_sizes(build_images(engine))
        check_settings(engine)
    else:
        for image in ("muster", "muster:static"):
            copy_image(image, docker, engine)
    check_contents(engine)
    lives(engine)
    lives_as_root(engine)
    is_copied_from(engine)
