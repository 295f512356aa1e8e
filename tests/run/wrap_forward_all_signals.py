#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signals 1 to 64 reach the program but for KILL, STOP and CHLD, sent from outside its namespace."""
import signal

from lib import Init, equal, tool, until

NEVER = {signal.SIGKILL, signal.SIGSTOP}

for pid1 in (True, False):
    with Init("--", tool("misbehave"), "record", "{dir}/record", 64, pid1=pid1) as init:
        init.wait_file("record")
        sent = []
        for signo in (number for number in range(1, 65) if number not in NEVER):
            init.signal(signo)
            if signo != signal.SIGCHLD:
                sent.append(f"{signo} 0")
            until(lambda: init.read("record").splitlines()[1:] == sent, f"signal {signo} arrives")
        equal(init.wait(), 0, "exit code")
        equal(init.read("record").splitlines()[1:], sent, "signals received")
