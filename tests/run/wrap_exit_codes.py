#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program's exit code is init's own, 0 to 255, as PID 1 and not."""
from lib import equal, run_init, tool

for code in range(256):
    equal(run_init("--", tool("misbehave"), "exit", code, pid1=False).code, code, "exit code")
for code in (0, 1, 42, 127, 128, 137, 255):
    equal(run_init("--", tool("misbehave"), "exit", code).code, code, "exit code as PID 1")
