# SPDX-License-Identifier: MIT
"""A service that the kernel kills as the container has no memory left is told as that; init lives on."""
import os
import pathlib
import signal

from lib import Init, equal, need_root, skip, tool

EATER = "sh -c 'x=xxxxxxxxxxxxxxxx; while :; do x=$$x$$x; done'".replace("$$", "$")
CONFIG = f"""
[service:eater]
command = {EATER}
oom_score_adj = 900
restart = no
essential = no
[service:rest]
command = {tool('misbehave')} forever
"""


def memory_cgroup():
    """A new cgroup of 48 MiB, v1 or v2, and where processes of it are written; None where that cannot be."""
    lines = [line.split(":", 2) for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
    for base, controller, limit in (("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes"),
                                    ("/sys/fs/cgroup", "", "memory.max")):
        place = next((path for _, names, path in lines if names == controller), None)
        if place is None:
            continue
        group = pathlib.Path(base + place) / f"muster-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / limit).exists():
            (group / limit).write_text(str(48 << 20))
            return group
        group.rmdir()
    return None


need_root()
group = memory_cgroup()
if not group:
    skip("no cgroup with a limit of memory can be made here")
procs = str(group / "cgroup.procs")


def join():
    with open(procs, "w") as file:
        file.write("0")


try:
    with Init(config=CONFIG, pid1=False, setup=join) as init:
        init.wait_state("eater", "failed")
        equal(init.services()["eater"]["reason"], "killed by the OOM killer (no memory was left in the container)",
              "reason")
        equal(init.services()["rest"]["state"], "running", "state of the other")
        init.signal(signal.SIGTERM)
        equal(init.wait(), 0, "exit code")
finally:
    for _ in range(100):
        try:
            group.rmdir()
            break
        except OSError:
            pass
