# SPDX-License-Identifier: MIT
"""Asked to stop at any moment of the start-up, it starts nothing more, stops what runs, and ends with 0."""
import random
import time

from lib import Init, equal, tool

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
