#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Thousands of orphans leave no zombie while the program runs, nor after init was held up."""
import os
import signal

from lib import Init, equal, tool, until

for pid1 in (True, False):
    with Init("--", tool("misbehave"), "orphans", 2000, "append", "{dir}/first", "done",
              "await", "{dir}/again", "orphans", 500, "append", "{dir}/second", "done",
              "await", "{dir}/go", "exit", 3, pid1=pid1) as init:
        until(lambda: init.read("first"), "2000 orphans have come", 60)
        init.no_zombies()
        # stopped, init sees one SIGCHLD for all of them
        os.kill(init.pid, signal.SIGSTOP)
        init.write("again", "")
        until(lambda: init.read("second"), "500 more have come")
        os.kill(init.pid, signal.SIGCONT)
        init.no_zombies()
        init.write("go", "")
        equal(init.wait(), 3, "exit code")
