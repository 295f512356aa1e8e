# SPDX-License-Identifier: MIT
"""A service with readiness_probe = notify is ready when it, or a child of its own, says READY=1."""
from lib import Init, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:plain]
command = {M} notify STATUS=loading pid {{dir}}/plain await {{dir}}/go notify READY=1 forever
readiness_probe = notify
[service:by-child]
command = {M} child [ notify READY=1 ] wait forever
readiness_probe = notify
[service:several]
command = sh -c 'exec {M} notify "$(printf "X=1\\nREADY=1\\nSTATUS=serving")" forever'
readiness_probe = notify
[service:almost]
command = {M} notify READY=0 notify READY=10 notify XREADY=1 notify "" pid {{dir}}/almost forever
readiness_probe = notify
[service:none]
command = {M} identity {{dir}}/none forever
"""

with Init(config=CONFIG, env={"NOTIFY_SOCKET": "/nowhere"}) as init:
    init.wait_state("by-child", "ready")
    init.wait_state("several", "ready")
    init.wait_file("almost")
    init.wait_file("plain")
    until(lambda: "loading" in (init.services()["plain"]["reason"] or ""), "its STATUS=")
    services = init.services()
    equal(services["plain"]["state"], "starting", "what has not said it")
    equal(services["almost"]["state"], "starting", "what said something else")
    init.write("go", "")
    init.wait_state("plain", "ready")
    # who does not use it gets no socket, and never the one that was meant for init
    none = init.json("none")
    equal([v for v in none["environment"] if v.startswith("NOTIFY_SOCKET=")], [], "variable")
