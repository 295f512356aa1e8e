# SPDX-License-Identifier: MIT
"""Not PID 1 it supervises as well, adopts and reaps, and ends what is its own, never a bystander."""
import signal
import subprocess

from lib import Init, equal, proc_children, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:db]
command = {M} on TERM [ append {{dir}}/order db exit 0 ] notify READY=1 forever
readiness_probe = notify
[service:web]
command = {M} on TERM [ append {{dir}}/order web exit 0 ] orphans 50 orphan [ setsid on TERM [ append {{dir}}/order orphan exit 0 ] pid {{dir}}/orphan forever ] notify READY=1 forever
depends_on = db
readiness_probe = notify
[service:deaf]
command = {M} ignore TERM orphan [ setsid ignore TERM pid {{dir}}/deaf-orphan forever ] pid {{dir}}/deaf forever
stop_grace_period = 100ms
"""


def run(end):
    # in the same world as init, and even of the same process group
    with Init(config=CONFIG, pid1=False) as init, subprocess.Popen([M, "forever"], process_group=0) as bystander:
        try:
            init.wait_line("all ready after")
            init.wait_file("orphan")
            init.wait_file("deaf")
            init.wait_file("deaf-orphan")
            until(lambda: len(proc_children(init.pid)) == 5, "orphans are adopted, and reaped")
            end(init)
            equal(init.wait(), 0, "exit code")
            equal(bystander.poll(), None, "the bystander")
        finally:
            bystander.kill()
        return init.read("order").split()


def stop(init):
    init.signal(signal.SIGTERM)


def stop_twice(init):
    init.signal(signal.SIGTERM)
    init.wait_line("stopping: signal TERM")
    init.signal(signal.SIGTERM)


order = run(stop)
equal(order.index("web") < order.index("db"), True, f"order {order}")
equal("orphan" in order, True, "the orphan had time to end")
run(stop_twice)
