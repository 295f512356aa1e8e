#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-r forwards one signal as another, by name or number, and drops it when that is 0."""
import signal

from lib import Init, equal, tool, until

with Init("-r", "TERM:USR1", "-r", "1:0", "--rewrite", "SIGRTMIN+1:QUIT", "-rUSR2:12", "--",
          tool("misbehave"), "record", "{dir}/record", "INT") as init:
    init.wait_file("record")
    for signo, lines in ((signal.SIGTERM, 2), (signal.SIGHUP, 2), (35, 3), (signal.SIGUSR2, 4)):
        init.signal(signo)
        until(lambda: init.read("record").count("\n") >= lines, f"signal {signo} is dealt with")
    init.signal(signal.SIGINT)
    equal(init.wait(), 0, "exit code")
    equal(init.read("record").splitlines(), ["begin", "10 0", "3 0", "12 0", "2 0"],
          "what the program got")
