#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tini adopts orphans only as PID 1, with -s or TINI_SUBREAPER, or where it inherited that; else it warns. What it
adopted as PID 1 gets its grace; what is not its own to end is left alone."""
import ctypes
import os
import signal

from lib import Init, called, check, equal, matches, proc_parent, tool, until

WARNING = r"^\[WARN  tini \(\d+\)\] .*zombie reaping won't work$"
ORPHAN = [tool("misbehave"), "orphan", "[", "pid", "{dir}/orphan", "await", "{dir}/go", "exit", "3", "]",
          "await", "{dir}/end"]
WAYS = {  # options, environment, in the first process
    "-s": (["-s"], {}, None),
    "TINI_SUBREAPER": ([], {"TINI_SUBREAPER": ""}, None),
    "inherited": ([], {}, lambda: ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)),
    "nothing": ([], {}, None),
}

for way, (options, env, setup) in WAYS.items():
    with Init(*options, "-w", "--", *ORPHAN, pid1=False, program=called("tini"), env=env, setup=setup) as init:
        orphan = int(init.wait_file("orphan"))
        until(lambda: proc_parent(orphan) == init.pid or way == "nothing", f"{way}: the orphan is adopted")
        check(way != "nothing" or proc_parent(orphan) != init.pid, "adopted without being asked to")
        init.write("go", "")
        if way != "nothing":
            init.wait_line(r"^\[WARN  tini \(\d+\)\] Reaped zombie process with pid=\d+$")
            check("reaping" not in init.stderr, f"{way}: {init.stderr}")
        else:
            matches(init.stderr, WARNING, "stderr")
        init.write("end", "")
        equal(init.wait(), 0, f"{way}: exit code")

# somebody else's namespace: init ends at once, and what its program left behind lives on
with Init("-s", "--", tool("misbehave"), "orphan", "[", "pid", "{dir}/orphan", "forever", "]", "await", "{dir}/orphan",
          "exit", 5, pid1=False, program=called("tini")) as init:
    equal(init.wait(), 5, "exit code")
    os.kill(int(init.read("orphan")), signal.SIGKILL)  # fails where it has been ended
    until(lambda: not init.pids(), "it is gone")

# as PID 1 it would die without a word; here it is told, and has time
for name in ("tini", "docker-init", "catatonit"):
    with Init("--", tool("misbehave"), "orphan", "[", "on", "TERM", "[", "append", "{dir}/flushed", "all", "exit", 0,
              "]", "pid", "{dir}/orphan", "forever", "]", "await", "{dir}/orphan", "exit", 5,
              program=called(name)) as init:
        equal(init.wait(), 5, f"{name}: exit code")
        equal(init.read("flushed"), "all\n", f"{name}: what the orphan wrote on TERM")
