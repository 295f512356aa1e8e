# SPDX-License-Identifier: MIT
"""What leftovers have left in turn, in sessions of their own, gets TERM and its grace like them, then KILL, and is named."""
import re

from lib import Init, equal, tool, until

M = tool("misbehave")
TIDY = "on TERM [ sleep 100 append {dir}/order tidy-%s exit 0 ] append {dir}/up %s forever"
DEAF = "ignore TERM append {dir}/up deaf-%s forever"
# the leftover has a child in a session of its own, and that one another
CONFIG = f"""
[service:web]
command = {M} on TERM [ exit 0 ] orphan [ child [ setsid child [ setsid {TIDY % ('c', 'c')} ] {TIDY % ('b', 'b')} ] {TIDY % ('a', 'a')} ] pid {{dir}}/web forever
[service:deaf]
command = {M} on TERM [ exit 0 ] orphan [ child [ setsid child [ setsid {DEAF % 'c'} ] {DEAF % 'b'} ] {DEAF % 'a'} ] pid {{dir}}/deaf forever
stop_grace_period = 2s
[service:bystander]
command = {M} on TERM [ append {{dir}}/order bystander exit 0 ] pid {{dir}}/bystander forever
"""

for pid1 in (True, False):
    with Init(config=CONFIG, pid1=pid1) as init:
        until(lambda: sorted(init.read("up").split()) == ["a", "b", "c", "deaf-a", "deaf-b", "deaf-c"], "all are up")
        for name in ("web", "deaf", "bystander"):
            init.wait_file(name)
        equal(init.ctl("stop", "web").returncode, 0, "exit code of musterctl stop web")
        equal(sorted(init.read("order").split()), ["tidy-a", "tidy-b", "tidy-c"], "what ended in order")
        init.signal(15)
        equal(init.wait(), 0, "exit code")
        last = init.stderr.splitlines()[-1]
        equal(len(re.findall(r"misbehave \d+ \(deaf\)", last)), 3, f"killed and named: {last}")
        init.wait_line("; 3 had to be killed: ")
        equal("cannot be killed" in init.stderr or "has not ended" in init.stderr, False, "nothing was stuck")
