#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-e turns the codes it names into 0, also those that stand for a signal, and no others."""
from lib import equal, run_init, tool

options = ["-e", "3", "-e143", "--remap-exit", "255", "--"]
for program, code in ((("exit", 3), 0), (("exit", 255), 0), (("die", "TERM"), 0), (("exit", 0), 0),
                      (("exit", 2), 2), (("exit", 4), 4), (("die", "INT"), 130)):
    equal(run_init(*options, tool("misbehave"), *program).code, code, f"code of {program}")
