# SPDX-License-Identifier: MIT
"""An optional dependency is waited for, but neither its failure nor its absence stands in the way."""
from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:broken]
command = {M} await {{dir}}/break exit 3
restart = no
essential = no
readiness_probe = notify
[service:absent]
command = {M} forever
start = manual
[service:app]
command = {M} forever
depends_on = ?broken, ?absent
"""

with Init(config=CONFIG) as init:
    waiting = init.wait_state("app", "waiting")
    equal(waiting["cause"], "broken", "what it waits for")
    init.write("break", "")
    init.wait_state("app", "running")
    services = init.services()
    equal(services["broken"]["state"], "failed", "the broken one")
    equal(services["absent"]["state"], "inactive", "the one that nobody asked for")
    init.wait_line("start-up is over")
