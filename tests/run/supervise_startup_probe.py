# SPDX-License-Identifier: MIT
"""A startup probe holds the others back until it succeeds, and has threshold times period to do so."""
from lib import Init, check, contains, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} forever
startup_probe = file:{{dir}}/started
startup_probe_period = 10ms
startup_probe_failure_threshold = 100000
readiness_probe = exec:{M} append {{dir}}/ready-checks x
liveness_probe = exec:{M} append {{dir}}/live-checks x
[service:alone]
command = {M} forever
startup_probe = file:{{dir}}/started
[service:told]
command = {M} notify READY=1 append {{dir}}/told x forever
startup_probe = file:{{dir}}/started
readiness_probe = notify
[service:late]
command = {M} forever
start = manual
essential = no
startup_probe = file:{{dir}}/never
startup_probe_period = 70ms
startup_probe_failure_threshold = 5
start_retries = 2
restart_backoff = 1ms..1ms
"""

with Init(config=CONFIG) as init:
    init.wait_file("told")
    with init.events() as events:
        equal(init.ctl("start", "--no-wait", "late").returncode, 0, "exit code")
        begin = events.until("late", "starting")["seconds"]
        end = events.until("late", "stopping")
        contains(end["reason"], "startup probe failed: No such file or directory", "reason")
        check(end["seconds"] - begin >= 0.35, f"it had {end['seconds'] - begin} s of its 0.35")
        events.until("late", "starting")
        failed = events.until("late", "failed")
        contains(failed["reason"], "startup probe failed: No such file or directory", "reason")
    services = init.services()
    equal(services["late"]["starts"], 2, "attempts")
    equal([services[name]["state"] for name in ("web", "alone", "told")], ["starting"] * 3, "states")
    equal(init.read("ready-checks") + init.read("live-checks"), "", "checks before the start is over")
    init.write("started", "")
    for name in ("web", "alone", "told"):
        init.wait_state(name, "ready")
    until(lambda: init.read("ready-checks"), "readiness checks")
