#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever signals init was started with blocked or ignored, the program has none, and they still reach it."""
import signal

from lib import Init, equal, tool


def spoil():
    every = set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}
    for signo in every:
        signal.signal(signo, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, every)


for pid1 in (True, False):
    with Init("--", tool("misbehave"), "identity", "{dir}/me", "on", "USR1", "[", "exit", 4, "]",
              "pid", "{dir}/up", "forever", setup=spoil, pid1=pid1) as init:
        init.wait_file("up")
        status = init.json("me")["status"]
        for name in ("SigBlk", "SigIgn", "SigCgt"):
            equal(int(status[name], 16), 0, name)
        init.signal(signal.SIGUSR1)
        equal(init.wait(), 4, "exit code, SIGCHLD having been ignored")
