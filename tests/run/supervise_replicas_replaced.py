# SPDX-License-Identifier: MIT
"""Replicas that are all unhealthy are replaced one at a time."""
from lib import Init, equal, tool, until

M = tool("misbehave")
# ready, and alive, as long as the file of its process is there
CONFIG = f"""
[service:web]
command = sh -c 'echo > {{dir}}/up.${{MUSTER_REPLICA}}; exec {M} forever'
replicas = 3
readiness_probe = file:{{dir}}/up.${{MUSTER_REPLICA}}
liveness_probe = file:{{dir}}/up.${{MUSTER_REPLICA}}
liveness_probe_period = 100ms
liveness_probe_failure_threshold = 2
restart_backoff = 100ms..300ms
"""
AWAY = ("stopping", "backoff", "starting")

with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    before = {n: s["pid"] for n, s in init.services().items()}
    events = init.events()
    for name in before:
        (init.dir / f"up.{name[-1]}").unlink()
    away, most, back = set(), 0, set()
    while len(back) < 3:
        event = events.event()
        name, state = event["service"], event["state"]
        if state in AWAY:
            away.add(name)
            most = max(most, len(away))
        elif name in away:
            away.discard(name)
            back.add(name)
    equal(most, 1, "replicas away at the same time")
    until(lambda: all(s["state"] == "ready" for s in init.services().values()), "all are ready again")
    equal([n for n, s in init.services().items() if s["pid"] == before[n]], [], "replicas that were not replaced")
