# SPDX-License-Identifier: MIT
"""What a real init and a sidecar of its own tell on /events, and what a sidecar alone tells."""

import json
import pathlib
import tempfile
import types

from lib import Init, check, equal, free_port, tool, until
from sidecarlib import Sidecar, Target
from sidecarlib.events import Stream

PORT = free_port()
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:{PORT}
[service:web]
command = {tool("misbehave")} forever
"""
ALONE = """[service:web]
type = external
readiness_probe = tcp://127.0.0.1:{port}
readiness_probe_period = 50ms
readiness_probe_failure_threshold = 1
"""


def told(stream):
    event = stream.next()
    return event["event"], json.loads(event["data"])


def until_told(stream, service, state):
    """Passes over events until this one; returns the others."""
    passed = []
    while True:
        event, data = told(stream)
        if event == "state" and (data["service"], data["state"]) == (service, state):
            return passed
        passed.append((event, data))


def check_beside():
    with Init(config=CONFIG) as init:
        init.wait_state("web", "running")
        init.wait_line("serving http://")
        init.wait_line("all ready after")  # the sidecar, too: nothing happens any more by itself
        with Stream(types.SimpleNamespace(port=PORT)) as stream:
            equal(told(stream)[0], "reset", "nobody followed before")
            equal(init.ctl("restart", "web").returncode, 0, "restart")
            passed = until_told(stream, "web", "stopping")
            equal([data for event, data in passed if event == "state"], [], "the first that happens")
            until_told(stream, "web", "running")
            equal(init.ctl("stop", "web").returncode, 0, "stop")
            passed = until_told(stream, "web", "inactive")
            last = stream.last
        equal(init.ctl("start", "web").returncode, 0, "start, while nobody listens")
        init.wait_state("web", "running")
        with Stream(types.SimpleNamespace(port=PORT), last=last) as stream:
            passed = until_told(stream, "web", "running")
            check(all(event != "reset" for event, _ in passed), f"it goes on: {passed}")


def check_alone():
    target = Target(port=free_port(), backlog=4096)  # nobody accepts
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "watch.ini")
        path.write_text(ALONE.format(port=target.port))
        with Sidecar("-c", path, linked=False) as sidecar:
            until(lambda: sidecar.get("/readyz").status == 200, "ready")
            with Stream(sidecar) as stream:
                stream.wait(lambda: stream.last, "the opening")
                target.socket.close()
                event, data = told(stream)
                equal((event, data["service"], data["state"], data["ready"]), ("state", "web", "unhealthy", False), "")
                check("refused" in data["reason"], data)
                event, data = told(stream)
                equal((event, data["phase"]), ("phase", "degraded"), "phase")
                last = stream.last
            target.socket = Target(port=target.port, backlog=4096).socket
            until(lambda: sidecar.get("/readyz").status == 200, "ready again")
            with Stream(sidecar, last=last) as stream:
                event, data = told(stream)
                equal((event, data["state"], data["reason"], data["ready"]), ("state", "ready", None, True), "missed")
            target.socket.close()


check_beside()
check_alone()
