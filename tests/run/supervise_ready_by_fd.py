# SPDX-License-Identifier: MIT
"""A service with readiness_probe = fd:N is ready when it writes a newline to descriptor N, each time anew."""
from lib import Init, contains, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:three]
command = {M} identity {{dir}}/three await {{dir}}/go ready-fd 3 await {{dir}}/again remove {{dir}}/again exit 1
readiness_probe = fd:3
restart_backoff = 1ms..1ms
[service:high]
command = {M} identity {{dir}}/high ready-fd 200 forever
readiness_probe = fd:200
[service:closes]
command = {M} close 5 pid {{dir}}/closes forever
readiness_probe = fd:5
[service:no-newline]
command = sh -c 'printf almost >&4; {M} pid {{dir}}/no-newline; echo >&4; exec {M} forever'
readiness_probe = fd:4
"""

with Init(config=CONFIG) as init:
    init.wait_state("high", "ready")
    equal(sorted(init.json("high")["fds"]), ["0", "1", "2", "200"], "descriptors")
    equal(sorted(init.json("three")["fds"]), ["0", "1", "2", "3"], "descriptors")
    init.wait_state("no-newline", "ready")
    init.wait_file("closes")
    init.wait_state("three", "starting")
    init.write("go", "")
    init.wait_state("three", "ready")
    with init.events() as events:
        init.write("again", "")
        # it ends, is started again, and has to say it again
        equal(events.until("three", "ready", "stopping", "backoff")["state"], "backoff", "next state")
        events.until("three", "starting")
        events.until("three", "ready")
    closes = init.services()["closes"]
    contains(closes["reason"], "closed its descriptor without a newline", "reason")
    equal(closes["state"], "starting", "the one that closed it")
