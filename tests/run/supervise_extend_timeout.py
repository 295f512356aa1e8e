# SPDX-License-Identifier: MIT
"""EXTEND_TIMEOUT_USEC gives a service more time to start, to stop, and to its watchdog."""
import time

from lib import Init, equal, until
from notifylib import PROGRAM, speaker

CONFIG = f"""
[muster]
stop_timeout = 60s
[service:start]
command = {PROGRAM} {{dir}}/start
readiness_probe = notify
ready_timeout = 12s
[service:watched]
command = {PROGRAM} {{dir}}/watched
readiness_probe = notify
watchdog = 6s
"""

with Init(config=CONFIG) as init:
    start = speaker(init, "start")
    start.say("EXTEND_TIMEOUT_USEC=600000000")
    watched = speaker(init, "watched")
    watched.say("READY=1\nEXTEND_TIMEOUT_USEC=600000000")
    begin = time.monotonic()
    until(lambda: time.monotonic() > begin + 13, "both deadlines are over")
    services = init.services()
    equal([services[name]["starts"] for name in ("start", "watched")], [1, 1], "starts")
    # it shortens nothing, and the next sign of life counts from then on
    start.say("EXTEND_TIMEOUT_USEC=1")
    equal(init.services()["start"]["state"], "starting", "what asked for less")
    watched.say("WATCHDOG=1")
    init.wait_line("watched: watchdog: no sign of life within 6")
