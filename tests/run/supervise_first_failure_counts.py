# SPDX-License-Identifier: MIT
"""The exit code is that of the first essential service that failed; what is not essential does not count."""
from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:first]
command = {M} await {{dir}}/go exit 11
restart = no
[service:second]
command = {M} on TERM [ exit 22 ] pid {{dir}}/second forever
restart = no
[service:third]
command = {M} on TERM [ die KILL ] pid {{dir}}/third forever
depends_on = second
[service:extra]
command = {M} exit 33
restart = no
essential = no
"""

with Init(config=CONFIG) as init:
    init.wait_state("extra", "failed")
    init.wait_file("second")
    init.wait_file("third")
    init.write("go", "")
    equal(init.wait(), 11, "exit code")
    init.wait_line("stopping: essential service first failed")
    init.wait_line("ended: essential service first failed; exit code 11; .* none had to be killed")

# a request for a shutdown that has begun by itself changes nothing about the code
with Init(config=CONFIG.replace("[ exit 22 ]", "[ append {dir}/asked x await {dir}/done exit 0 ]")
          .replace("[ die KILL ]", "[ exit 0 ]")) as init:
    init.wait_file("second")
    init.write("go", "")
    init.wait_file("asked")
    init.signal(15)
    init.write("done", "")
    equal(init.wait(), 11, "exit code")

# when all have ended by themselves and no essential one failed, that is no failure
with Init(config=f"[service:a]\ncommand = {M} exit 0\n"
                 f"[service:b]\ncommand = {M} exit 3\nrestart = no\nessential = no\n") as init:
    equal(init.wait(), 0, "exit code")
    init.wait_line("ended: every service has ended; exit code 0")
