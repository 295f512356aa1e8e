# SPDX-License-Identifier: MIT
"""Once started muster-init takes no more memory, whatever restarts, is asked or printed."""
from lib import Init, equal, proc_status, tool, until

M = tool("misbehave")
CONFIG = "".join(f"""
[service:s{i}]
command = {M} lines 300 error "on stderr" exit 1
restart_backoff = 1ms..1ms
restart_limit = unlimited
pre_start = {M} print hook
log = {('prefix', 'json')[i % 2]}
""" for i in range(5)) + f"""
[service:web]
command = {M} notify READY=1 forever
readiness_probe = notify
liveness_probe = exec:{M} exit 0
liveness_probe_period = 5ms
"""

with Init(config=CONFIG) as init, init.control() as control:
    init.wait_state("web", "ready")

    def starts():
        return sum(service["starts"] for service in init.services().values())

    def memory():
        status = proc_status(init.pid)
        return {name: status[name] for name in ("VmPeak", "VmSize", "VmData")}

    before, begin = memory(), starts()
    for turn in range(50):
        for kind in (1, 3, 4):
            control.ask_service(kind, "web")
        control.ask_service(2, "web")
        init.ctl("logs", "-n", "5")
        if turn % 10 == 0:
            init.signal(10)
    until(lambda: starts() > begin + 300, "hundreds of starts", 60)
    equal(memory(), before, "memory")
