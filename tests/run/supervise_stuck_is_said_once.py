# SPDX-License-Identifier: MIT
"""A process that KILL does not end is named once, however long that lasts; when it can end, its service goes on."""
import os
import pathlib
import time

from lib import Init, equal, need_root, skip, tool, until

need_root()
M = tool("misbehave")
FREEZER = pathlib.Path("/sys/fs/cgroup/freezer")  # the old one, in which KILL has to wait
if not (FREEZER / "cgroup.procs").exists():
    skip("no freezer of cgroup v1")
CONFIG = f"""
[service:web]
command = {M} pid {{dir}}/pids forever
stop_grace_period = 20ms
"""
SAID = "has not ended after KILL"
GROUP = FREEZER / f"muster-test-{os.getpid()}"
GROUP.mkdir()


def freeze(word):
    (GROUP / "freezer.state").write_text(word)
    until(lambda: (GROUP / "freezer.state").read_text() == f"{word}\n", word)


try:
    with Init(config=CONFIG) as init:
        pid = init.outside(int(init.wait_file("pids")))
        (GROUP / "cgroup.procs").write_text(str(pid))
        freeze("FROZEN")
        try:
            equal(init.ctl("restart", "--no-wait", "web").returncode, 0, "exit code of restart")
            init.wait_line(f"web: misbehave, process .* {SAID}")
            equal(init.ctl("stop", "--no-wait", "web").returncode, 0, "exit code of stop")
            time.sleep(2.5)  # meanwhile it is killed three times
        finally:
            freeze("THAWED")
        init.wait_state("web", "inactive")
        equal(init.stderr.count(SAID), 1, "how often it is said")
finally:
    until(lambda: not (GROUP / "cgroup.procs").read_text(), "nobody is left")
    GROUP.rmdir()
