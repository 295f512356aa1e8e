#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a program leaves behind gets TERM and the time to end well, in any session, PID 1 or not."""
from lib import Init, equal, tool, until

# each needs a moment to put things in order; the second left the session, the third has a child
TIDY = ["on", "TERM", "[", "sleep", 200, "append", "{dir}/tidy", "done", "exit", 0, "]",
        "pid", "{dir}/up", "forever"]
ACTIONS = ["orphan", "[", *TIDY, "]", "orphan", "[", "setsid", *TIDY, "]",
           "orphan", "[", "child", "[", *TIDY, "]", *TIDY, "]",
           "await", "{dir}/all-up", "exit", 5]

for pid1 in (True, False):
    with Init("--", tool("misbehave"), *ACTIONS, pid1=pid1) as init:
        until(lambda: init.read("up").count("\n") == 4, "all are up")
        init.write("all-up", "")
        equal(init.wait(), 5, "exit code")
        equal(init.read("tidy").count("done"), 4, "processes that ended in order")
