#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-p has init get a signal when its parent dies, and pass it on to the program."""
import os
import signal

from lib import INIT, Init, tool, until

# the outer init adopts the inner one, so that its end can be seen
for signo in ("USR1", "HUP", "RTMIN+2"):
    with Init("-w", "--", tool("misbehave"), "child",
              "[", "child", "[", "exec", INIT, "-p", signo, "--", tool("misbehave"),
              "on", signo, "[", "append", "{dir}/told", signo, "exit", 0, "]",
              "pid", "{dir}/up", "forever", "]", "pid", "{dir}/parent", "forever", "]", "forever") as outer:
        outer.wait_file("up")
        parent = outer.outside(int(outer.wait_file("parent")))
        os.kill(parent, signal.SIGKILL)
        until(lambda: outer.read("told") == f"{signo}\n", "the program is told")
        outer.wait_line(r"reaped adopted process \d+: code 0")
