# SPDX-License-Identifier: MIT
"""Of several probes for one thing all must succeed; which one fails is said."""
import socket

from lib import Init, contains, equal, free_port, tool, until

M = tool("misbehave")
PORT, OTHER = free_port(), free_port()
CONFIG = f"""
[service:web]
command = {M} await {{dir}}/go notify READY=1 forever
readiness_probe = notify
    file:{{dir}}/a, b
    exec:test -e "{{dir}}/c"
    tcp://127.0.0.1:{PORT}
    tcp://127.0.0.1:{OTHER}
readiness_probe_period = 20ms
readiness_probe_failure_threshold = 2
[service:dependent]
command = sleep 1000
depends_on = web
[service:alive]
command = sleep 1000
liveness_probe = file:{{dir}}/alive1
    file:{{dir}}/alive2
liveness_probe_period = 20ms
liveness_probe_initial_delay = 1s
restart_backoff = 1ms
restart_limit = unlimited
[service:started]
command = sleep 1000
startup_probe = file:{{dir}}/begun1
    file:{{dir}}/begun2
readiness_probe = file:{{dir}}/open
"""


def listening(port):
    server = socket.create_server(("127.0.0.1", port))
    server.listen(4096)  # nobody accepts
    return server


def probe(init, name):
    found = init.services()[name]["probe"]
    return found["passed"], found["count"]


run = Init(config=CONFIG)
run.write("alive1", "")
run.write("alive2", "")
with run as init:
    steps = [lambda: init.write("c", ""), lambda: listening(PORT), lambda: init.write("go", ""),
             lambda: init.write("a, b", "")]
    kept = []
    for passed, step in enumerate(steps, 1):
        kept.append(step())
        until(lambda count=passed: probe(init, "web") == (count, 5), f"{passed} of 5 succeed")
        equal(init.services()["web"]["state"], "starting", f"web, with {passed} of 5")
    until(lambda: f"not ready yet tcp://127.0.0.1:{OTHER}" in init.services()["web"]["reason"], "the reason")
    equal(init.services()["dependent"]["state"], "waiting", "what depends on it")
    kept.append(listening(OTHER))
    init.wait_state("web", "ready")
    init.wait_state("dependent", "running")
    equal(probe(init, "web"), (5, 5), "probes that succeed")

    # one that fails is enough, and it has to come back itself
    (init.dir / "c").unlink()
    init.wait_state("web", "unhealthy")
    contains(init.services()["web"]["reason"], "readiness probe failed exec:test -e", "the reason")
    equal(probe(init, "web"), (4, 5), "probes that succeed")
    kept[1].close()
    until(lambda: probe(init, "web") == (3, 5), "another one fails")
    init.write("c", "")
    until(lambda: probe(init, "web") == (4, 5), "the first one is back")
    equal(init.services()["web"]["state"], "unhealthy", "web, with 4 of 5")
    kept[1] = listening(PORT)
    init.wait_state("web", "ready")

    equal(init.services()["alive"]["starts"], 1, "starts")
    (init.dir / "alive2").unlink()
    until(lambda: init.services()["alive"]["starts"] > 1, "one that fails is enough")

    init.write("open", "")
    init.write("begun2", "")
    init.write("begun1", "")
    init.wait_state("started", "ready")
