# SPDX-License-Identifier: MIT
"""A probe command that not even KILL ends, as one that hangs in a GPU's driver, has failed all the same: its service is started anew."""
import ctypes
import errno
import os

from lib import Init, proc_state, skip, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} append {{dir}}/starts x forever
liveness_probe = exec:{M} pid {{dir}}/probe forever
liveness_probe_timeout = 1s
liveness_probe_failure_threshold = 2
restart_backoff = 1ms
"""
SEIZE, WAIT_ALL = 0x4206, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def seize(init):
    """The pid of the probe that runs, once it is traced. Nobody but its tracer can reap it then: for init it is as one
    that does not end."""
    pid = init.outside(int((init.read("probe").split() or ["0"])[-1]))
    if pid and LIBC.ptrace(SEIZE, pid, None, None) == 0:
        return pid
    if pid and ctypes.get_errno() == errno.EPERM and proc_state(pid) not in ("", "Z"):
        skip("ptrace is not permitted here")
    return None


with Init(config=CONFIG) as init:
    probe = until(lambda: seize(init), "a probe is traced")
    init.wait_line("web: liveness probe failed: timed out; starting again in")
    until(lambda: init.read("starts").count("x") == 2, "it is started again")
    os.waitpid(probe, WAIT_ALL)
    init.no_zombies()
