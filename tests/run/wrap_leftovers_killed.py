#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What ignores TERM is killed when its grace is over, and not before; the code is the program's."""
import time

from lib import Init, check, equal, tool, until

STUBBORN = ["ignore", "TERM", "pid", "{dir}/up", "forever"]
ACTIONS = ["orphan", "[", *STUBBORN, "]", "orphan", "[", "setsid", *STUBBORN, "]",
           "orphan", "[", "child", "[", *STUBBORN, "]", *STUBBORN, "]", "await", "{dir}/go", "exit", 6]

for pid1 in (True, False):
    with Init("--grace", "400ms", "--", tool("misbehave"), *ACTIONS, pid1=pid1) as init:
        until(lambda: init.read("up").count("\n") == 4, "all are up")
        begin = time.monotonic()
        init.write("go", "")
        equal(init.wait(), 6, "exit code")
        seconds = time.monotonic() - begin
        check(0.35 < seconds < 9, f"ended after {seconds:.2f} s, grace is 0.4 s")
        equal(init.pids(), [], "survivors")
