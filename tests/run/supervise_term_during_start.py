# SPDX-License-Identifier: MIT
"""Asked to stop at any moment of the start-up, it starts nothing more, stops what runs, and ends with 0."""
import random
import signal
import time

from lib import Init, equal, proc_status, read_proc, tool, until

M = tool("misbehave")
# a chain beside some that take their time, with hooks and a oneshot
CONFIG = "".join(f"""
[service:link{i}]
{f'type = oneshot' if i % 3 == 1 else 'readiness_probe = notify'}
pre_start = {M} sleep 1
command = {M} append {{dir}}/log up {'exit 0' if i % 3 == 1 else 'notify READY=1 forever'}
depends_on = {f'link{i - 1}' if i else ''}
""" for i in range(9)) + f"""
[service:slow]
command = {M} append {{dir}}/log up forever
readiness_probe = exec:{M} sleep 5 exit 1
[service:failing]
command = {M} exit 1
restart_backoff = 1ms..5ms
restart_limit = unlimited
"""

dice = random.Random(3)
for offset in range(0, 60, 5):
    with Init(config=CONFIG) as init:
        init.wait_line("11 services")
        time.sleep((offset + dice.random() * 5) / 1000)
        init.signal(15)
        equal(init.wait(), 0, f"exit code after {offset} ms")
        init.wait_line("ended: signal TERM; exit code 0; .* none had to be killed")

# while the configuration is read, too: so many services that this takes its time
MANY = f"[service:web]\ncommand = {M} forever\n" + "".join(
    f"[service:s{i}]\ncommand = {M} forever\nstart = manual\nenvironment = A={i}\n" for i in range(10000))


def has(field, signo):
    return int(proc_status(init.pid).get(field, "0"), 16) >> (signo - 1) & 1


def worked():
    """The processor's time that it has had, in ns."""
    return int(read_proc(init.pid, "schedstat").split()[0])


with Init(config=MANY) as init:
    until(lambda: has("SigCgt", signal.SIGSYS), "it has begun: faults are caught")
    end = worked() + 20e6  # of its own time: it may have to stand still
    until(lambda: has("SigBlk", signal.SIGTERM) or worked() > end, "it works")
    init.signal(15)
    equal(init.wait(), 0, "exit code while the configuration is read")
