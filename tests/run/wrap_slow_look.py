#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""However long it takes to look for what was left behind, what was killed is waited for after that."""
from lib import Init, equal, need, tool

# a look at /proc takes longer than init is willing to wait for what it kills
SLOW = [need("strace"), "-qq", "-o", "/dev/null", "-e", "trace=getdents64", "-e", "inject=getdents64:delay_enter=300000"]
ACTIONS = ["orphan", "[", "ignore", "TERM", "setsid", "pid", "{dir}/up", "forever", "]", "await", "{dir}/up", "exit", 6]

with Init("--grace", "10ms", "--", tool("misbehave"), *ACTIONS, pid1=False, prefix=SLOW) as init:
    equal(init.wait(), 6, "exit code")
    equal(init.stderr, "", "stderr")
    equal(init.pids(), [], "survivors")
