#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A wait that fails once does not lose the program: its end is seen all the same."""
from lib import Init, equal, need, tool

STRACE = need("strace")

for error in ("EINTR", "ENOMEM", "EPERM", "ECHILD", "EAGAIN"):
    for when in ("1", "1+2"):
        with Init("--", tool("misbehave"), "exit", 5, pid1=False,
                  prefix=[STRACE, "-q", "-o", "{dir}/trace", "-e", f"inject=wait4:error={error}:when={when}"]) as init:
            equal(init.wait(), 5, f"exit code with wait4 failing ({error}, {when})")
