# SPDX-License-Identifier: MIT
"""A service with a watchdog that does not say WATCHDOG=1 in time is ended by ABRT and started again."""
from lib import Init, equal, until
from notifylib import PROGRAM, fresh, speaker

CONFIG = f"""
[service:silent]
command = {PROGRAM} {{dir}}/silent
watchdog = 300ms
stop_command = touch {{dir}}/stop_command
[service:alive]
command = {PROGRAM} {{dir}}/alive
readiness_probe = notify
watchdog = 1h
restart_backoff = 1ms
"""

with Init(config=CONFIG) as init:
    init.wait_line("silent: watchdog: no sign of life within 300ms: ending it by ABRT")
    init.wait_line("silent: watchdog: no sign of life within 300ms; starting again in")
    until(lambda: init.services()["silent"]["starts"] > 1, "silent was started again")
    equal(init.services()["silent"]["last_exit"], 134, "how it ended")
    equal(init.read("stop_command") + str((init.dir / "stop_command").exists()), "False",
          "a stop command for one that hangs")

    alive = speaker(init, "alive")
    environment = alive.environment()
    equal(environment.get("WATCHDOG_USEC"), "3600000000", "WATCHDOG_USEC")
    equal(environment.get("WATCHDOG_PID"), str(alive.pid()), "WATCHDOG_PID")
    alive.say("READY=1")
    alive.say("WATCHDOG_USEC=0")  # none any more
    alive.say("WATCHDOG=1")
    alive.say("WATCHDOG_USEC=3600000000\nWATCHDOG=1")
    equal(init.services()["alive"]["state"], "ready", "with a sign of life")
    alive.say("WATCHDOG=trigger", wait=False)
    init.wait_line("alive: watchdog: it asked for it: ending it by ABRT")
    until(lambda: init.services()["alive"]["starts"] == 2, "alive was started again")
    init.wait_line("alive: watchdog: it asked for it; starting again")
    fresh(init, "alive").say("READY=1\nWATCHDOG_USEC=200000", wait=False)
    init.wait_line("alive: watchdog: no sign of life within 200ms")
