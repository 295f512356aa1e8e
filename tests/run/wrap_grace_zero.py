#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--grace 0 kills what is left at once, without TERM."""
from lib import Init, equal, tool

for pid1 in (True, False):
    with Init("--grace", "0", "--", tool("misbehave"), "orphan",
              "[", "on", "TERM", "[", "append", "{dir}/term", "came", "exit", 0, "]",
              "pid", "{dir}/up", "forever", "]", "await", "{dir}/up", pid1=pid1) as init:
        equal(init.wait(), 0, "exit code")
        equal(init.read("term"), "", "TERM")
        equal(init.pids(), [], "survivors")
