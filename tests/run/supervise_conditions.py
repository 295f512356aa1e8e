# SPDX-License-Identifier: MIT
"""A dependency is met when it has started, is healthy or has completed, as was asked for."""
from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:db]
command = {M} await {{dir}}/db notify READY=1 forever
readiness_probe = notify
[service:schema]
type = oneshot
command = {M} await {{dir}}/schema
[service:plain]
command = {M} forever
[service:early]
command = {M} forever
depends_on = db:started, schema:started
[service:late]
command = {M} forever
depends_on = db
[service:last]
command = {M} forever
depends_on = db:healthy, schema:completed
[service:by-default]
command = {M} forever
depends_on = schema
[service:beside]
command = {M} forever
depends_on = plain
"""


def states(init):
    return {name: service["state"] for name, service in init.services().items()}


with Init(config=CONFIG) as init:
    init.wait_state("early", "running")
    init.wait_state("beside", "running")
    for name in ("late", "last", "by-default"):
        init.wait_state(name, "waiting")
    now = states(init)
    equal([now[name] for name in ("db", "schema")], ["starting"] * 2, "what is not ready")
    equal([now[name] for name in ("late", "last", "by-default")], ["waiting"] * 3, "what waits")
    init.write("db", "")
    init.wait_state("late", "running")
    equal([states(init)[name] for name in ("last", "by-default")], ["waiting"] * 2, "what waits")
    init.write("schema", "")
    init.wait_state("last", "running")
    init.wait_state("by-default", "running")
    init.wait_line("all ready after")

# one that was healthy and came to its end will not be healthy again: who waits for that waits for nothing
CONFIG = f"""
[service:brief]
command = {M} notify READY=1 await {{dir}}/brief
readiness_probe = notify
restart = no
[service:slow]
command = {M} await {{dir}}/slow notify READY=1 forever
readiness_probe = notify
[service:both]
command = {M} forever
depends_on = brief, slow
essential = no
[service:anyway]
command = {M} forever
depends_on = ?brief, slow
"""
with Init(config=CONFIG) as init:
    init.wait_state("brief", "ready")
    equal(states(init)["both"], "waiting", "one that waits for another, too")
    init.write("brief", "")
    init.wait_state("brief", "completed")
    failed = init.wait_state("both", "failed")
    equal(failed["reason"], "depends on brief, which failed", "why it failed")
    init.write("slow", "")
    init.wait_state("anyway", "running")
    equal(states(init)["both"], "failed", "one that waited for what had ended")
