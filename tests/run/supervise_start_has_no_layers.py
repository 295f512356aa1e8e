# SPDX-License-Identifier: MIT
"""A service starts when its own dependencies are met, whatever else is slow: there are no layers."""
from lib import Init, equal, tool

DEPTH = 12
M = tool("misbehave")
CONFIG = f"""
[service:slow]
command = {M} await {{dir}}/go notify READY=1 forever
readiness_probe = notify
[service:after-slow]
command = {M} forever
depends_on = slow
[service:link0]
command = {M} notify READY=1 forever
readiness_probe = notify
""" + "".join(f"""
[service:link{i}]
command = {M} notify READY=1 forever
readiness_probe = notify
depends_on = link{i - 1}
""" for i in range(1, DEPTH))

with Init(config=CONFIG) as init:
    # the chain comes to its end while its sibling in the first layer has not even begun to be ready
    init.wait_state(f"link{DEPTH - 1}", "ready")
    services = init.services()
    equal(services["slow"]["state"], "starting", "the slow one")
    equal(services["after-slow"]["state"], "waiting", "what depends on it")
    equal(services["after-slow"]["cause"], "slow", "what it waits for")
    init.write("go", "")
    init.wait_state("after-slow", "running")
    init.wait_line("all ready after")
