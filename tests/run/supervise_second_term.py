# SPDX-License-Identifier: MIT
"""A second request to stop ends everything at once, whatever the graces say."""
import signal

from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[muster]
stop_timeout = 1h
[service:db]
command = {M} ignore TERM pid {{dir}}/db forever
stop_grace_period = 1h
[service:web]
command = {M} on TERM [ append {{dir}}/told x ] pid {{dir}}/web forever
stop_grace_period = 1h
depends_on = db
"""

for second in (signal.SIGTERM, signal.SIGINT):
    with Init(config=CONFIG) as init:
        init.wait_file("db")
        init.wait_file("web")
        init.signal(signal.SIGTERM)
        init.wait_file("told")
        init.signal(second)
        equal(init.wait(), 0, "exit code")
        init.wait_line("asked twice: ending everything now")
        init.wait_line(r"ended: signal TERM; .*; 2 had to be killed: misbehave \d+ \(db\), misbehave \d+ \(web\)$")
