# SPDX-License-Identifier: MIT
"""What depends on a service that failed for good fails with it, and says which one was the cause."""
from lib import Init, contains, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:db]
command = {M} await {{dir}}/break exit 9
restart = no
essential = no
readiness_probe = notify
[service:api]
command = {M} pid {{dir}}/started forever
essential = no
depends_on = db
[service:web]
command = {M} pid {{dir}}/started forever
essential = no
depends_on = api
[service:other]
command = {M} forever
"""

with Init(config=CONFIG) as init:
    init.wait_state("other", "running")
    web = init.wait_state("web", "waiting")
    equal(web["cause"], "api", "while it waits")
    init.write("break", "")
    web = init.wait_state("web", "failed")
    services = init.services()
    equal(services["db"]["state"], "failed", "the root")
    contains(services["db"]["reason"], "code 9", "its reason")
    equal((services["api"]["cause"], web["cause"]), ("db", "api"), "causes")
    contains(services["api"]["reason"], "depends on db, which failed", "reason")
    equal(services["other"]["state"], "running", "what has nothing to do with it")
    equal(init.read("started"), "", "dependents that were started")
    init.wait_line("start-up is over after .*; 3 of 4 services are not ready")
    init.signal(15)
    equal(init.wait(), 0, "exit code")

# an essential dependent takes the code of the cause
with Init(config=CONFIG.replace("essential = no\ndepends_on = db", "depends_on = db")) as init:
    init.write("break", "")
    equal(init.wait(), 9, "exit code")
    init.wait_line("ended: essential service api failed; exit code 9; .* none had to be killed")
