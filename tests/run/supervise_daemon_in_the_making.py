# SPDX-License-Identifier: MIT
"""A program that ends while it goes into the background leaves nothing behind unseen, however short the moment."""
from lib import Init, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:daemon]
command = {M} daemon on TERM [ append {{dir}}/order tidy exit 0 ] append {{dir}}/order up forever
restart = no
essential = no
start = manual
[service:bystander]
command = {M} forever
"""

with Init(config=CONFIG) as init:
    until(init.services, "it answers")
    for number in range(60):
        with init.events() as events:
            init.ctl("start", "--no-wait", "daemon")
            events.until("daemon", "completed")
        said = init.read("order").split()
        equal(said in ([], ["tidy"], ["up", "tidy"]), True, f"what daemon {number} did: {said}")
        if said:
            (init.dir / "order").unlink()
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    init.wait_line("none had to be killed")
