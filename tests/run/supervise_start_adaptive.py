# SPDX-License-Identifier: MIT
"""start_parallel = auto: who computes while starting holds others back, who only waits does not."""
import os
import sys
import time

from lib import Init, check, tool, until

M = tool("misbehave")
CORES = len(os.sched_getaffinity(0))
MANY = 12 * CORES + 20  # far more than are taken on trust


def config(command):
    services = [f"""
[service:s{n:03}]
command = {command}
readiness_probe = notify
essential = no
ready_timeout = 10m
""" for n in range(MANY)]
    return "[muster]\nstart_parallel = auto\nstart_timeout = 10m\n" + "".join(services)


def starting(init):
    return [service["state"] for service in init.services().values()].count("starting")


# all of them wait for a file before they are ready: nobody is held back by that
with Init(config=config(f"{M} await {{dir}}/go notify READY=1 forever")) as init:
    until(lambda: starting(init) == MANY, lambda: f"all {MANY} are starting, not {starting(init)}")
    init.write("go", "")
    init.wait_line("all ready")

# all of them compute and are never ready: only what was taken on trust, and no more for a while
with Init(config=config(f"{sys.executable} -S -c 'while True: pass'")) as init:
    until(lambda: starting(init) >= CORES, "some are starting")
    most, end = 0, time.monotonic() + 5
    while time.monotonic() < end:
        most = max(most, starting(init))
    check(CORES <= most <= MANY // 2, f"of {MANY} that compute {most} are starting at once, with {CORES} processors")
