# SPDX-License-Identifier: MIT
"""A reload waits for what is slow to stop, without holding up anything; a later one takes its place."""
from lib import DONE, FAILED, RELOAD, Init, contains, equal, tool, until

M = tool("misbehave")
SLOW = f"""
[service:slow]
command = {M} on TERM [ append {{dir}}/told x await {{dir}}/go exit 0 ] pid {{dir}}/slow forever
stop_grace_period = 1m
"""
KEEP = f"""
[muster]
stop_timeout = 1m
[service:keep]
command = {M} pid {{dir}}/keep await {{dir}}/crash remove {{dir}}/crash exit 1
restart_backoff = 1ms..1ms
"""


def new(name):
    return f"[service:{name}]\ncommand = {M} pid {{dir}}/{name} forever\n"


with Init(config=KEEP + SLOW + new("other")) as init, init.control() as first, init.control() as later:
    init.wait_file("slow")
    init.write("muster.ini", init.fill(KEEP + new("first")))
    first.send(RELOAD)
    init.wait_file("told")
    init.wait_state("other", "inactive")
    equal("first" in init.services(), False, "the new plan is in force too early")
    # meanwhile life goes on, and asking for what is about to go changes nothing
    init.write("crash", "")
    until(lambda: init.read("keep").count("\n") >= 2, "another service is restarted")
    equal(init.ctl("start", "--no-wait", "other").returncode, 0, "exit code of musterctl start")
    equal(init.ctl("restart", "--no-wait", "slow").returncode, 0, "exit code of musterctl restart")
    # two more, the last of which counts
    for name in ("second", "third"):
        init.write("muster.ini", init.fill(KEEP + new(name)))
        later.send(RELOAD)
    # when the next request has been answered, those have been taken
    equal(init.ctl("start", "--no-wait", "keep").returncode, 0, "exit code of musterctl start")
    equal(init.read("first") + init.read("third"), "", "what is not in force yet")
    init.write("go", "")
    for control in (first, later):
        kind, text = control.receive()
        equal((kind, text.decode()), (DONE, "removed: slow, other\nadded: third\n"), "answer, once it is in force")
    init.wait_state("third", "running")
    equal(list(init.services()), ["keep", "third"], "services")
    equal(init.read("first") + init.read("second"), "", "what was never in force")
    equal(init.stderr.count("reloaded:"), 1, "changes of plan")

# back to what it was while that is being stopped: it is started again, nothing is lost
with Init(config=KEEP + SLOW) as init, init.control() as control:
    init.wait_file("slow")
    init.write("muster.ini", init.fill(KEEP))
    control.send(RELOAD)
    init.wait_file("told")
    init.write("muster.ini", init.fill(KEEP + SLOW))
    equal(init.ctl("reload").stdout, "nothing changed\n", "answer")
    equal(control.receive()[0], DONE, "answer to the first")
    init.write("go", "")
    until(lambda: init.read("slow").count("\n") == 2, "it runs again")
    init.wait_state("slow", "running")

# the end need not wait for a reload that waits, and whoever waits for that is told
with Init(config=KEEP + SLOW) as init, init.control() as control:
    init.wait_file("slow")
    init.write("muster.ini", init.fill(KEEP))
    control.send(RELOAD)
    init.wait_file("told")
    init.signal(15)
    kind, text = control.receive()
    equal(kind, FAILED, "type of answer")
    contains(text.decode(), "stopping", "answer")
    init.write("go", "")
    equal(init.wait(), 0, "exit code")
    equal("reloaded" in init.stderr, False, "a change of plan at the end")
