# SPDX-License-Identifier: MIT
"""A service that was stopped with SIGSTOP gets CONT with its TERM, so that its handler runs."""
import os
import signal

from lib import Init, equal, proc_state, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} on TERM [ append {{dir}}/end tidy exit 0 ] pid {{dir}}/up forever
"""

with Init(config=CONFIG) as init:
    pid = init.outside(int(init.wait_file("up")))
    os.kill(pid, signal.SIGSTOP)
    until(lambda: proc_state(pid) == "T", "it is stopped")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")
    equal(init.read("end"), "tidy\n", "what its handler did")
    init.wait_line("none had to be killed")
