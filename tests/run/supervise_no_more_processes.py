# SPDX-License-Identifier: MIT
"""Where no process can be created a service is tried again after growing delays, none is failed or killed for it, and it ends in time."""
import os
import subprocess

from lib import Init, check, equal, need, need_root, tool, until

need_root()
M = tool("misbehave")
CONFIG = f"""
[service:greedy]
command = {M} child [ forever ] child [ forever ] notify READY=1 forever
readiness_probe = notify
liveness_probe = exec:/bin/true
    file:/proc/self/cwd/
liveness_probe_period = 20ms
liveness_probe_failure_threshold = 1
stop_command = /bin/true
post_stop = /bin/true
[service:plain]
command = {M} pid {{dir}}/plain forever
depends_on = greedy
restart_backoff = 40ms..10s
[service:hooked]
command = {M} pid {{dir}}/hooked forever
pre_start = /bin/true
start_retries = 1
depends_on = greedy
restart_backoff = 40ms..10s
"""


def user(number):
    """The limit counts what one user has, so nobody else may be that user."""
    return 100000 + 2 * os.getpid() + number


def become(number):
    return [need("setpriv"), "--reuid", str(user(number)), "--clear-groups"]


def limited(number):
    run = Init(config=CONFIG, pid1=False, prefix=become(number) + [need("prlimit"), "--nproc=4:20"])
    run.run_dir.mkdir()
    for path in (run.dir, run.run_dir):
        os.chown(path, user(number), -1)
    return run


with limited(0) as init:
    for name in ("plain", "hooked"):
        init.wait_line(f"{name}: cannot start .*: new process: Resource temporarily unavailable; starting again in")
        until(lambda: init.services()[name]["restarts"] >= 3, "several attempts; meanwhile more of the probe")
        state = init.services()[name]
        check(state["state"] in ("backoff", "waiting", "starting"), f"{name} is {state['state']}")
    equal((init.services()["greedy"]["state"], init.services()["greedy"]["starts"]), ("ready", 1), "whose probe cannot run")
    # with room for more, all are up one delay later
    equal(subprocess.call(become(0) + ["prlimit", "--pid", str(init.pid), "--nproc=20"]), 0, "prlimit")
    init.wait_state("plain", "running")
    init.wait_state("hooked", "running")

with limited(1) as init:
    init.wait_line("plain: cannot start")
    init.signal(15)
    equal(init.wait(), 0, "exit code of an end that could start no hook")
    init.wait_line("ended: signal TERM; exit code 0; .* none had to be killed")
