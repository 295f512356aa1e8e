#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a reload removes ends in the order of a shutdown, and a file without services removes nothing."""
from lib import Init, contains, equal, tool, until

M = tool("misbehave")


def service(name, *keys):
    return "\n".join([f"[service:{name}]", f"command = {M} on TERM [ append {{dir}}/ended {name} exit 0 ] "
                      f"append {{dir}}/up {name} forever", *keys, ""])


KEEP = service("keep")
ALL = KEEP + service("db") + service("api", "depends_on = db") + service("web", "depends_on = api")

with Init(config=ALL) as init:
    until(lambda: init.read("up").count("\n") == 4, "all run")
    init.write("muster.ini", "")
    result = init.ctl("reload")
    equal(result.returncode, 1, "exit code of a reload without services")
    contains(result.stderr, "it has no services", "what is said")
    equal(sorted(init.services()), ["api", "db", "keep", "web"], "services")
    init.write("muster.ini", init.fill(KEEP))
    equal(init.ctl("reload").returncode, 0, "exit code of musterctl reload")
    equal(init.read("ended").split(), ["web", "api", "db"], "order of the end")
    equal(list(init.services()), ["keep"], "services that are left")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
