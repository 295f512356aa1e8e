# SPDX-License-Identifier: MIT
"""A notification from a process that is not the service's own is refused, and said so."""
from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:victim]
command = {M} identity {{dir}}/victim await {{dir}}/go notify READY=1 forever
readiness_probe = notify
[service:liar]
command = sh -c 'NOTIFY_SOCKET=$(cat {{dir}}/socket) exec {M} notify READY=1 pid {{dir}}/lied forever'
start = manual
[service:left]
command = {M} child [ setsid notify READY=1 pid {{dir}}/left forever ] forever
readiness_probe = notify
"""

with Init(config=CONFIG) as init:
    variables = dict(v.split("=", 1) for v in init.json("victim")["environment"])
    init.write("socket", variables["NOTIFY_SOCKET"])
    equal(init.ctl("start", "liar").returncode, 0, "exit code of musterctl start")
    init.wait_file("lied")
    init.wait_line("victim: a notification from process .*, which is not its own, is ignored")
    equal(init.services()["victim"]["state"], "starting", "the victim")
    # a process that has left the service's session counts as a stranger, too
    init.wait_file("left")
    init.wait_line("left: a notification from process .*, which is not its own, is ignored")
    equal(init.services()["left"]["state"], "starting", "the service that was left")
    init.write("go", "")
    init.wait_state("victim", "ready")
    equal(init.services()["victim"]["starts"], 1, "starts")
