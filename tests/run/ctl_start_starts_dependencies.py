# SPDX-License-Identifier: MIT
"""musterctl start brings up what the service depends on, too: what nobody asked for, what was stopped, what has failed."""
from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:keep]
command = {M} forever
[service:db]
command = {M} append {{dir}}/order db await {{dir}}/ok notify READY=1 forever
readiness_probe = notify
start = manual
[service:cache]
command = {M} append {{dir}}/order cache notify READY=1 forever
readiness_probe = notify
start = manual
[service:extra]
command = {M} append {{dir}}/order extra forever
start = manual
[service:api]
command = {M} append {{dir}}/order api notify READY=1 forever
readiness_probe = notify
start = manual
depends_on = db, cache
[service:web]
command = {M} append {{dir}}/order web notify READY=1 forever
readiness_probe = notify
start = manual
depends_on = api, ?extra
[service:flaky]
command = sh -c 'test -e {{dir}}/mended && exec {M} notify READY=1 forever'
readiness_probe = notify
restart = no
essential = no
[service:behind]
command = {M} forever
depends_on = flaky
essential = no
[service:further]
command = {M} forever
depends_on = behind, flaky
essential = no
"""

with Init(config=CONFIG) as init:
    init.wait_state("further", "failed")
    states = {name: service["state"] for name, service in init.services().items()}
    equal({states[name] for name in ("db", "cache", "extra", "api", "web")}, {"inactive"}, "states before")
    equal(init.ctl("start", "--no-wait", "web").stdout, "web: waiting\n", "answer")
    init.wait_state("db", "starting")
    equal(init.services()["web"]["cause"], "api", "what web waits for")
    init.write("ok", "")
    equal(init.ctl("start", "web").returncode, 0, "exit code")
    order = init.read("order").split()
    equal((order[2:], sorted(order[:2])), (["api", "web"], ["cache", "db"]), "order")
    equal(init.services()["extra"]["state"], "inactive", "an optional one")

    # one that failed for good is tried again, for the sake of what is asked for
    init.write("mended", "")
    equal(init.ctl("start", "further").returncode, 0, "exit code")
    states = {name: service["state"] for name, service in init.services().items()}
    equal([states[name] for name in ("flaky", "behind", "further")], ["ready", "running", "running"], "states")

    # one that was stopped comes back, by start and by restart of what needs it
    for verb in ("start", "restart"):
        equal(init.ctl("stop", "api", "cache", "web").returncode, 0, "exit code of musterctl stop")
        equal(init.ctl(verb, "web").returncode, 0, f"exit code of musterctl {verb}")
        equal({init.services()[name]["state"] for name in ("web", "api", "cache")}, {"ready"}, "states")
    equal(init.ctl("start", "nobody").returncode, 3, "exit code for an unknown service")
