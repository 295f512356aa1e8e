#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Queued real-time signals are passed on one for one, with their values."""
import ctypes
import signal

from lib import Init, equal, tool, until

COUNT = 100
SIGNO = signal.SIGRTMIN + 3
libc = ctypes.CDLL(None)

with Init("--", tool("misbehave"), "record", "{dir}/record", "TERM") as init:
    init.wait_file("record")
    for value in range(COUNT):
        equal(libc.sigqueue(init.pid, SIGNO, ctypes.c_void_p(value)), 0, "sigqueue")
    until(lambda: init.read("record").count("\n") == COUNT + 1, "all arrive")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")
    equal(init.read("record").splitlines(),
          ["begin"] + [f"{SIGNO} {value}" for value in range(COUNT)] + ["15 0"], "signals")
