# SPDX-License-Identifier: MIT
"""A service that the kernel kills as the container has no memory left is told as that; init lives on."""
import signal

from lib import Init, equal, need_root, tool
from rootlib import memory_cgroup

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


need_root()
with memory_cgroup(48 << 20) as group:
    procs = str(group / "cgroup.procs")

    def join():
        with open(procs, "w") as file:
            file.write("0")

    with Init(config=CONFIG, pid1=False, setup=join) as init:
        init.wait_state("eater", "failed")
        equal(init.services()["eater"]["reason"], "killed by the OOM killer (no memory was left in the container)",
              "reason")
        equal(init.services()["rest"]["state"], "running", "state of the other")
        init.signal(signal.SIGTERM)
        equal(init.wait(), 0, "exit code")
