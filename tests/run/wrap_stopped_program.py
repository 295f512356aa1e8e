# SPDX-License-Identifier: MIT
"""A program that was stopped is continued when TERM is passed on to it, so that its handler runs."""
import os
import signal

from lib import Init, equal, proc_state, tool, until

for pid1 in (True, False):
    for option in ((), ("-g",)):
        with Init(*option, "--", tool("misbehave"), "on", "TERM", "[", "append", "{dir}/end", "tidy", "exit", 4, "]",
                  "on", "CONT", "[", "append", "{dir}/end", "continued", "]", "pid", "{dir}/up", "forever",
                  pid1=pid1) as init:
            pid = init.outside(int(init.wait_file("up")))
            os.kill(pid, signal.SIGSTOP)
            until(lambda: proc_state(pid) == "T", "it is stopped")
            init.signal(signal.SIGTERM)
            equal(init.wait(), 4, "exit code")
            equal("tidy" in init.read("end"), True, "its handler ran")

# one that runs gets nothing besides
with Init("--", tool("misbehave"), "record", "{dir}/log", "TERM") as init:
    init.wait_file("log")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")
    equal(init.read("log"), "begin\n15 0\n", "signals")
