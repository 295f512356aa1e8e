# SPDX-License-Identifier: MIT
"""/status and /health are what docs/status.schema.json and docs/health.schema.json say, in all states of
services and of the whole, with a real init and alone; and the schemas would notice if they were not."""

import copy
import json
import urllib.error
import urllib.request

from lib import Failure, Init, check, equal, free_port, tool
from sidecarlib import (DEP_CAUSE, PHASES, PROBES, STATES, TYPES, WANTED, Page, Sidecar, Target, calm, now)
from sidecarlib.schema import check_schema


def fetch(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def check_both(port):
    status, health = fetch(port, "/status"), fetch(port, "/health")
    check_schema("status", status)
    check_schema("health", health)
    return status, health


def check_states():
    """A page with services of every kind, in every phase."""
    services = [{"name": f"{kind}-{state}", "type": kind, "state": state, "probe": PROBES[number % len(PROBES)],
                 "last_exit": number - 3, "pid": number, "ready_at": now() if number % 2 else 0,
                 "reason": "no good" if number % 3 else "",
                 "flags": WANTED | (DEP_CAUSE if number % 4 == 0 else 0) | number % 2}
                for number, (kind, state) in enumerate((kind, state) for kind in TYPES for state in STATES)]
    edges = [(one["name"], "service-ready", condition, optional)
             for one, condition, optional in zip(services, ("started", "healthy", "completed"), (0, 1, 0))]
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, services, edges)
        for phase in PHASES:
            page.set_phase(phase)
            equal(len(check_both(sidecar.port)[0]["services"]), len(services), "services")
        equal(sidecar.get("/health").json()["status"], "fail", "of these")
        (sidecar.run_dir / "status").unlink()
        check_schema("health", fetch(sidecar.port, "/health"))


def check_real():
    with Target() as target:
        port = free_port()
        config = f"""
        [sidecar]
        listen = 127.0.0.1:{port}
        [service:web]
        command = {tool("misbehave")} forever
        readiness_probe = tcp://127.0.0.1:{target.port}
        readiness_probe_period = 50ms
        [service:later]
        command = {tool("misbehave")} forever
        depends_on = web
        """
        with Init(config="\n".join(line.strip() for line in config.splitlines())) as init:
            init.wait_line("all ready after")
            init.wait_line("serving http://")
            status, health = calm(lambda: check_both(port))
            equal((health["status"], status["phase"]), ("pass", "ready"), "status")
            check(status["services"][0]["pid"], "a pid")
            return status, health


def damage(answer, path, value):
    """A copy in which one value is another (or gone: KeyError)."""
    answer = copy.deepcopy(answer)
    at = answer
    for step in path[:-1]:
        at = at[step]
    if value is KeyError:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return answer


def check_that_schemas_notice(status, health):
    for name, answer, path, value in (
            ("status", status, ["schema"], 2), ("status", status, ["host"], KeyError),
            ("status", status, ["uptime"], -1), ("status", status, ["phase"], "fine"),
            ("status", status, ["surprise"], 1), ("status", status, ["services", 0, "state"], "good"),
            ("status", status, ["services", 0, "since"], "yesterday"), ("status", status, ["services", 0, "pid"], 0),
            ("status", status, ["services", 0, "probe", "kind"], None),
            ("status", status, ["services", 0, "probe", "extra"], 1),
            ("status", status, ["peers"], [{"name": "a", "state": "fine"}]),
            ("status", status, ["gpus"], [{"uuid": "a", "name": "b", "index": 0, "utilization_ratio": 93}]),
            ("health", health, ["status"], "ok"), ("health", health, ["output"], "though it passes"),
            ("health", health, ["checks", "web:state"], {}), ("health", health, ["checks", "a:b:c"], [])):
        try:
            check_schema(name, damage(answer, path, value))
        except Failure:
            continue
        raise Failure(f"the schema of {name} takes {value!r} at {path}")


check_states()
check_that_schemas_notice(*check_real())
