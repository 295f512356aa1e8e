# SPDX-License-Identifier: MIT
"""A service is ready, unhealthy, and restarted by its liveness probe after as many results in a row as were asked for."""
from lib import Init, contains, equal, tool, until

M = tool("misbehave")


def probe(name):
    """A command that counts its runs in a file and answers the n-th as the file n.ok or n.no says."""
    at = f"{{dir}}/{name}"
    return (f"exec:sh -c 'n=$(wc -l <{at}); echo >>{at}; "
            f"until [ -e {at}.$n.ok ] || [ -e {at}.$n.no ]; do sleep 0.005; done; [ -e {at}.$n.ok ]'")


CONFIG = f"""
[service:web]
command = {M} pid {{dir}}/pids forever
restart_backoff = 1ms..1ms
readiness_probe = {probe("ready")}
readiness_probe_period = 1ms
readiness_probe_timeout = 1h
readiness_probe_success_threshold = 2
readiness_probe_failure_threshold = 3
liveness_probe = {probe("live")}
liveness_probe_period = 1ms
liveness_probe_timeout = 1h
liveness_probe_failure_threshold = 2
[service:user]
command = {M} pid {{dir}}/user-pids forever
depends_on = web
"""

run = Init(config=CONFIG)
for file in ("ready", "live"):  # they are read by the first checks
    run.write(file, "")
with run as init:
    calls = {"ready": 0, "live": 0}

    def answer(name, good):
        """Lets the check that is under way end, and waits for the next, so that the result has been taken."""
        n = calls[name]
        until(lambda: init.read(name).count("\n") == n + 1, f"check {n} of {name}")
        init.write(f"{name}.{n}.{'ok' if good else 'no'}", "")
        calls[name] += 1

    def after(name, *results):
        for good in results:
            answer(name, good)
        until(lambda: init.read(name).count("\n") == calls[name] + 1, "the next check")
        return init.services()["web"]["state"]

    equal(after("ready", False, True, False, True), "starting", "one success at a time")
    equal(init.read("live"), "", "liveness checks before it was ready")
    equal(after("ready", True), "ready", "two successes in a row")
    equal(after("ready", False, False, True, False, False), "ready", "two failures in a row")
    equal(after("ready", False), "unhealthy", "three failures in a row")
    contains(init.services()["web"]["reason"], "readiness probe failed: exit code 1", "reason")
    equal(after("ready", True, False, True), "unhealthy", "one success at a time")
    equal(after("ready", True), "ready", "two successes in a row")
    init.wait_state("user", "running")
    for name in ("pids", "user-pids"):
        init.wait_file(name)
    equal(after("live", False, True, False), "ready", "one failure of liveness at a time")
    equal(init.read("pids").count("\n"), 1, "starts so far")
    with init.events() as events:
        answer("live", False)
        stopping = events.until("web", "stopping")
        contains(stopping["reason"], "liveness probe failed: exit code 1", "reason")
        contains(events.until("web", "backoff")["reason"], "liveness probe failed", "reason")
        events.until("web", "starting")
    init.wait_line("web: liveness probe failed: exit code 1; starting again in")
    equal(init.services()["web"]["restarts"], 1, "restarts")
    equal(init.read("user-pids").count("\n"), 1, "starts of what depends on it")
