# SPDX-License-Identifier: MIT
"""An external service is probed and never started; what depends on it waits; one that never comes fails."""
from lib import Init, contains, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:db]
type = external
readiness_probe = file:{{dir}}/up
readiness_probe_period = 5ms
readiness_probe_failure_threshold = 2
[service:app]
command = {M} forever
depends_on = db
[service:lost]
type = external
readiness_probe = file:{{dir}}/never
ready_timeout = 50ms
start_retries = 2
restart_backoff = 1ms..1ms
essential = no
"""

with Init(config=CONFIG) as init:
    lost = init.wait_state("lost", "failed")
    contains(lost["reason"], "not ready within 50 ms", "reason")
    equal(lost["restarts"], 1, "attempts but the first")
    db = init.wait_state("db", "starting")
    equal((db["type"], db["pid"], db["starts"]), ("external", None, 0), "what is not started")
    equal(init.services()["app"]["state"], "waiting", "what depends on it")
    init.write("up", "")
    init.wait_state("app", "running")
    (init.dir / "up").unlink()
    init.wait_state("db", "unhealthy")
    equal(init.services()["app"]["state"], "running", "what depends on it")
    init.write("up", "")
    init.wait_state("db", "ready")
    equal(init.ctl("stop", "db").returncode, 0, "exit code of musterctl stop")
    equal(init.services()["db"]["state"], "inactive", "state")
    equal(init.ctl("start", "db").returncode, 0, "exit code of musterctl start")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
