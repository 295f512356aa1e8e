# SPDX-License-Identifier: MIT
"""With nothing to do muster-init sleeps: no wake-up, no processor time, while its services do what they want."""
import time

from lib import Init, equal, proc_status, read_proc, tool, until

M = tool("misbehave")
CONFIG = "".join(f"""
[service:s{i}]
command = {M} {'notify READY=1' if i % 2 else ''} forever
{'readiness_probe = notify' if i % 2 else ''}
""" for i in range(20)) + f"""
[service:slow-probe]
command = {M} forever
readiness_probe = file:/
readiness_probe_period = 1h
liveness_probe = file:/
liveness_probe_period = 1h
[service:oneshot]
type = oneshot
command = {M} exit 0
[service:to-file]
command = {M} print up forever
log = file:{{dir}}/log
"""

with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    until(lambda: init.read("log") == "up\n", "the log is written")

    def switches():
        status = proc_status(init.pid)
        return int(status["voluntary_ctxt_switches"]), int(status["nonvoluntary_ctxt_switches"])

    def processor_time():
        return read_proc(init.pid, "stat").rpartition(b")")[2].split()[11:13]

    # what its start brought with it may take a while; then it sleeps through a whole second
    def quiet():
        before = switches(), processor_time()
        time.sleep(1)
        return (switches(), processor_time()) == before

    until(quiet, "it comes to rest")
    # and it wakes up when there is something to do
    equal(init.ctl("stop", "s0").returncode, 0, "exit code of musterctl stop")
