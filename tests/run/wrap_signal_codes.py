#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program that dies by signal n gives exit code 128 + n, for every signal that ends a process."""
import signal

from lib import equal, run_init, tool

HARMLESS = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH,
            signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}

for signo in range(1, 65):
    # the C library keeps 32 and 33 to itself; a program cannot name them
    if signo in HARMLESS or signo in (32, 33):
        continue
    equal(run_init("--", tool("misbehave"), "die", signo, pid1=signo % 2).code, 128 + signo, f"signal {signo}")
equal(run_init("--", tool("misbehave"), "crash").code, 128 + signal.SIGSEGV, "a real fault")
