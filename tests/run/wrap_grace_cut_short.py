#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A TERM or INT to init while leftovers have their grace ends the waiting."""
import signal

from lib import Init, equal, tool, until

for signo in (signal.SIGTERM, signal.SIGINT):
    with Init("--grace", "1h", "--", tool("misbehave"), "orphan",
              "[", "on", "TERM", "[", "append", "{dir}/term", "came", "]", "pid", "{dir}/up", "forever", "]",
              "await", "{dir}/up", "exit", 9) as init:
        until(lambda: init.read("term"), "the leftover got TERM")
        init.signal(signo)
        equal(init.wait(), 9, "exit code")
