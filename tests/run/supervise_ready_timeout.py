# SPDX-License-Identifier: MIT
"""A service that is not ready in time is ended and tried again, so many times, and then failed for good."""
from lib import Init, check, contains, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} forever
readiness_probe = notify
ready_timeout = 250ms
start_retries = 3
restart_backoff = 1ms..1ms
essential = ESSENTIAL
start = START
[service:other]
command = {M} forever
"""


def config(essential, start):
    return CONFIG.replace("ESSENTIAL", essential).replace("START", start)


with Init(config=config("no", "manual")) as init:
    init.wait_state("other", "running")
    with init.events() as events:
        equal(init.ctl("start", "--no-wait", "web").returncode, 0, "exit code")
        for _ in range(3):
            begin = events.until("web", "starting")["seconds"]
            end = events.until("web", "stopping")["seconds"]
            check(end - begin >= 0.25, f"{end - begin} s of 0.25 s")
        contains(events.until("web", "failed")["reason"], "not ready within 250 ms", "reason")
    equal(init.services()["web"]["starts"], 3, "attempts")
    # asked again, it gets as many attempts again
    equal(init.ctl("start", "web").returncode, 1, "exit code of musterctl start")
    equal(init.services()["web"]["starts"], 6, "attempts")

with Init(config=config("yes", "auto")) as init:
    equal(init.wait(), 143, "exit code: it was ended by TERM")
    equal(init.stderr.count("not ready within 250 ms"), 3, "attempts")
    init.wait_line("error: web: failed: not ready within 250 ms")
    init.wait_line("ended: essential service web failed; exit code 143")
