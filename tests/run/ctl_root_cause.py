# SPDX-License-Identifier: MIT
"""status keeps cause and consequence apart: who waits names whom it waits for, and the root with what is the matter there."""
from lib import Init, equal, matches, until

CONFIG = """
[service:db]
command = sleep 1000
readiness_probe = exec:sh -c 'echo no route; exit 3'
readiness_probe_period = 20ms
readiness_probe_timeout = 60s
[service:{first}]
command = sleep 1000
depends_on = db
[service:{second}]
command = sleep 1000
depends_on = {first}
[service:{third}]
command = sleep 1000
depends_on = {second}, ok
[service:ok]
command = sleep 1000
[service:broken]
command = false
essential = no
restart = no
[service:after]
command = sleep 1000
essential = no
depends_on = broken:completed
"""


def look(init, name):
    service = init.services()[name]
    return tuple(service[key] for key in ("reason", "cause", "root"))


with Init(config=CONFIG.replace("{first}", "a").replace("{second}", "b").replace("{third}", "c")) as init:
    until(lambda: "code 3" in (init.services().get("db", {}).get("reason") or ""), "db has a reason")
    until(lambda: look(init, "c")[1], "c waits")
    why = init.services()["db"]["reason"]
    equal(look(init, "db"), (why, None, None), "the root itself")
    for name, cause in (("a", "db"), ("b", "a"), ("c", "b")):
        equal(look(init, name), (f"waits for {cause}", cause, "db"), name)
        equal(init.services()[name]["root_reason"], why, f"the root's reason, of {name}")
        matches(init.ctl("status", name).stdout, rf"waits for {cause} \(db: {why}\)$", "for people")
    equal(look(init, "ok"), (None, None, None), "one that waits for nobody")
    until(lambda: look(init, "after")[1], "after has failed")
    equal(look(init, "after"), ("depends on broken, which failed", "broken", "broken"), "one whose dependency failed")
    matches(init.ctl("status", "after").stdout, r"which failed \(broken: exited with code 1", "for people")

    # in another place, after a reload, they are the same
    text = CONFIG.replace("{first}", "a").replace("{second}", "b").replace("{third}", "c").split("[service:")
    init.write("muster.ini", text[0] + "".join("[service:" + part for part in ["new]\ncommand = sleep 1000\n"] + text[:0:-1]))
    equal(init.ctl("reload").stdout, "added: new\n", "what the reload did")
    for name, cause in (("a", "db"), ("b", "a"), ("c", "b")):
        equal(look(init, name), (f"waits for {cause}", cause, "db"), f"{name} after a reload")
    equal(look(init, "after"), ("depends on broken, which failed", "broken", "broken"), "after, after a reload")
