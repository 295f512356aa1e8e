#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stopped leftover is continued, so that it can act on TERM."""
from lib import Init, equal, proc_state, tool, until

ACTIONS = ["orphan", "[", "on", "TERM", "[", "append", "{dir}/tidy", "done", "exit", 0, "]",
           "pid", "{dir}/up", "send", "STOP", "self", "forever", "]", "await", "{dir}/go"]

for pid1 in (True, False):
    with Init("--", tool("misbehave"), *ACTIONS, pid1=pid1) as init:
        pid = init.outside(int(init.wait_file("up")))
        until(lambda: proc_state(pid) == "T", "it is stopped")
        init.write("go", "")
        equal(init.wait(), 0, "exit code")
        equal(init.read("tidy"), "done\n", "what it did")
