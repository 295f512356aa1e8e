#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Not PID 1, init ends all that its program left behind, at any depth, and nothing else."""
import subprocess

from lib import Init, contains, equal, tool, until

LEAF = ["ignore", "HUP", "pid", "{dir}/up", "forever"]
DEEP = ["orphan", "[", "child", "[", "setsid", "child", "[", *LEAF, "]", *LEAF, "]", *LEAF, "]"]
STUBBORN = ["orphan", "[", "ignore", "TERM", *LEAF, "]"]

# brothers of init, one in its session and group, one in a session of its own
bystanders = [subprocess.Popen([tool("misbehave"), *words, "forever"]) for words in ([], ["setsid"])]
try:
    with Init("-v", "--grace", "200ms", "--", tool("misbehave"), *DEEP, *STUBBORN, "await", "{dir}/go",
              pid1=False) as init:
        until(lambda: init.read("up").count("\n") == 4, "all are up")
        init.write("go", "")
        equal(init.wait(), 0, "exit code")
        contains(init.stderr, "TERM to what", "stderr")
        contains(init.stderr, "KILL to what", "stderr")
        equal(init.pids(), [], "survivors")
    for bystander in bystanders:
        equal(bystander.poll(), None, "code of a bystander")
finally:
    for bystander in bystanders:
        bystander.kill()
        bystander.wait()
