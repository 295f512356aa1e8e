#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-g signals the program's whole process group; without it the program alone is signalled."""
import signal

from lib import Init, equal, tool, until

ACTIONS = ["child", "[", "on", "USR1", "[", "append", "{dir}/marks", "child", "exit", 0, "]",
           "pid", "{dir}/up", "forever", "]",
           "on", "USR1", "[", "append", "{dir}/marks", "program", "]", "on", "TERM", "[", "exit", 0, "]",
           "pid", "{dir}/up", "forever"]

for option, reached in (((), ["program"]), (("-g",), ["child", "program"])):
    with Init(*option, "--", tool("misbehave"), *ACTIONS) as init:
        until(lambda: init.read("up").count("\n") == 2, "both are up")
        init.signal(signal.SIGUSR1)
        until(lambda: sorted(init.read("marks").split()) == reached, f"{reached} get it")
        init.signal(signal.SIGTERM)
        equal(init.wait(), 0, "exit code")
        equal(sorted(init.read("marks").split()), reached, "who got it")
