# SPDX-License-Identifier: MIT
"""A service that ignores its stop signal is killed after its grace period, named, and the rest goes on in order."""
from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:db]
command = {M} on INT [ append {{dir}}/order db exit 0 ] pid {{dir}}/db forever
stop_signal = SIGINT
[service:deaf]
command = {M} ignore TERM ignore INT pid {{dir}}/deaf forever
stop_grace_period = 120ms
depends_on = db
[service:again]
command = {M} ignore TERM pid {{dir}}/again forever
stop_grace_period = 30ms
depends_on = db
"""

with Init(config=CONFIG) as init:
    for name in ("db", "deaf", "again"):
        init.wait_file(name)
    # one that had to be killed for a restart does not count at the end
    equal(init.ctl("restart", "again").returncode, 0, "exit code of musterctl restart")
    init.wait_line("again: still there after 30 ms: killing it")
    equal(init.services()["again"]["last_exit"], 137, "how it ended")
    equal(init.ctl("stop", "again").returncode, 0, "exit code of musterctl stop")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    equal(init.read("order"), "db\n", "what stopped by itself")
    init.wait_line("deaf: still there after 120 ms: killing it")
    init.wait_line(r"ended: signal TERM; exit code 0; 0 orphans reaped; 1 had to be killed: misbehave \d+ \(deaf\)$")
