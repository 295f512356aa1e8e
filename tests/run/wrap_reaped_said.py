#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-w says so for each adopted process that is reaped; without it nothing is said."""
from lib import Init, equal, tool, until

ACTIONS = ["orphan", "[", "exit", 3, "]", "orphan", "[", "die", "KILL", "]", "await", "{dir}/go"]

for option, count in (("-w", 2), ("--warn-reaped", 2), ("-s", 0)):
    with Init(option, "--", tool("misbehave"), *ACTIONS) as init:
        until(lambda: init.stderr.count("\n") == count, f"{count} lines")
        init.no_zombies()
        init.write("go", "")
        equal(init.wait(), 0, "exit code")
        lines = sorted(line.split(": ") for line in init.stderr.splitlines())
        equal(sorted(line[2] for line in lines), ["code 3", "signal KILL"][:count], "endings")
        for line in lines:
            equal(line[1].rsplit(" ", 1)[0], "reaped adopted process", "words")
