# SPDX-License-Identifier: MIT
"""The orphans of services are reaped, hundreds at once, and counted; none is taken for a service."""
import json

from lib import Init, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} orphans 500 pid {{dir}}/done forever
[service:other]
command = {M} pid {{dir}}/other forever
"""

for pid1 in (True, False):
    with Init(config=CONFIG, pid1=pid1) as init:
        init.wait_file("done")
        init.wait_file("other")
        init.no_zombies()
        until(lambda: json.loads(init.ctl("status", "--json").stdout)["init"]["reaped"] == 500, "500 are counted")
        services = init.services()
        equal([(s["state"], s["starts"]) for s in services.values()], [("running", 1)] * 2, "services")
        init.signal(15)
        equal(init.wait(), 0, "exit code")
