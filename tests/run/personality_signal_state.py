#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""As tini and catatonit the program gets exactly the mask and the ignored signals that init was started with; as
dumb-init it gets none. What was blocked or ignored reaches it all the same."""
import signal

from lib import Init, called, equal, tool

IGNORED = {signal.SIGINT, signal.SIGSEGV, signal.SIGTTOU, signal.SIGCHLD, signal.SIGABRT, 40, 64}
BLOCKED = {signal.SIGTTIN, signal.SIGILL, signal.SIGTERM, signal.SIGCHLD, 41}
OTHERS = 3 << 31  # 32 and 33 belong to the C library, and are as they were


def spoil():
    for signo in IGNORED:
        signal.signal(signo, signal.SIG_IGN)
    for signo in set(range(1, 65)) - IGNORED - {9, 19, 32, 33}:
        signal.signal(signo, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, BLOCKED)


def mask(signals):
    return sum(1 << (signo - 1) for signo in signals)


# not as PID 1: unshare has a way of its own with signals
for name, kept in {"tini": True, "catatonit": True, "dumb-init": False}.items():
    with Init("--", tool("misbehave"), "identity", "{dir}/me", "record", "{dir}/record", "USR1",
              program=called(name), setup=spoil, pid1=False) as init:
        init.wait_file("record")
        status = init.json("me")["status"]
        equal(int(status["SigIgn"], 16) & ~OTHERS, mask(IGNORED) if kept else 0, f"{name}: ignored")
        equal(int(status["SigBlk"], 16), mask(BLOCKED) if kept else 0, f"{name}: blocked")
        equal(int(status["SigCgt"], 16), 0, f"{name}: caught")
        for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            init.signal(signo)
            init.wait_line(rf"^{int(signo)} 0$", "record")
        equal(init.wait(), 0, f"{name}: exit code, SIGCHLD having been ignored and blocked")
