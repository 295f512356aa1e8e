# SPDX-License-Identifier: MIT
"""When the sidecar is killed it is started again and goes on probing; no service notices."""
import os
import signal

from lib import Init, equal, free_port, tool, until

M = tool("misbehave")
PORT = free_port()
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:{free_port()}
[service:web]
command = {M} http {PORT} {{dir}}/status pid {{dir}}/pids forever
readiness_probe = http://127.0.0.1:{PORT}/
readiness_probe_period = 30ms
readiness_probe_failure_threshold = 1
liveness_probe = tcp://127.0.0.1:{PORT}
liveness_probe_period = 30ms
liveness_probe_timeout = 10s
[service:user]
command = {M} forever
depends_on = web
"""


def sidecar_of(init):
    return init.services()["muster-sidecar"]


with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    before = init.services()
    with init.events() as events:
        for count in range(1, 4):
            pid = sidecar_of(init)["pid"]
            os.kill(init.outside(pid), signal.SIGKILL)
            until(lambda: sidecar_of(init)["pid"] not in (pid, None), "another sidecar")  # noqa: B023
            init.wait_state("muster-sidecar", "running", "ready")
            equal(sidecar_of(init)["restarts"], count, "restarts of the sidecar")
        # the new one knows what to probe
        init.write("status", "503 Service Unavailable")
        events.until("web", "unhealthy")
        init.write("status", "200 OK")
        events.until("web", "ready")
    after = init.services()
    for name in ("web", "user"):
        for what in ("pid", "starts", "restarts"):
            equal(after[name][what], before[name][what], f"{what} of {name}")
    equal(init.read("pids").count("\n"), 1, "starts of web")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    until(lambda: "none had to be killed" in init.stderr, "the last line")
