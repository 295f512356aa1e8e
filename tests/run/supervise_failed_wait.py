# SPDX-License-Identifier: MIT
"""A wait that fails does not lose the end of a service, of a hook, or of a probe."""
from lib import Init, equal, need, tool

STRACE = need("strace")
M = tool("misbehave")
CONFIG = f"""
[muster]
exit_code_from = web
[service:web]
command = {M} orphans 3 exit 5
pre_start = {M} exit 0
restart = no
"""
PROBED = CONFIG + "readiness_probe = exec:/bin/true\n"

for error in ("EINTR", "ENOMEM", "EPERM", "ECHILD", "EAGAIN"):
    for call, config in (("wait4", CONFIG), ("wait4", PROBED), ("waitid", PROBED)):
        with Init(config=config, pid1=False,
                  prefix=[STRACE, "-q", "-o", "{dir}/trace", "-e", f"inject={call}:error={error}:when=1+2"]) as init:
            equal(init.wait(), 5, f"exit code with {call} failing ({error})")
