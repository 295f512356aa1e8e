# SPDX-License-Identifier: MIT
"""start, stop, restart and signal return when their effect is there, or cannot come any more."""
from lib import Init, contains, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} pid {{dir}}/web.pids forever
[service:late]
command = {M} await {{dir}}/go ready-fd 5 forever
readiness_probe = fd:5
start = manual
[service:slow]
command = {M} on TERM [ sleep 300 exit 0 ] forever
[service:bad]
command = {M} exit 3
readiness_probe = fd:5
restart = no
start = manual
essential = no
[service:once]
type = oneshot
command = {M} append {{dir}}/once x
"""


def states(init, *names):
    services = init.services()
    return [services[name]["state"] for name in names]


with Init(config=CONFIG) as init:
    init.wait_file("once")
    init.wait_file("web.pids")  # running, it may not have written it yet
    equal(init.ctl("wait", "--timeout", "20s").returncode, 0, "exit code of wait: manual ones are not awaited")

    result = init.ctl("restart", "web", "slow")
    equal((result.returncode, result.stdout), (0, "web: running\nslow: running\n"), "restart")
    until(lambda: len(init.read("web.pids").split()) == 2, "web has been started twice")
    equal(init.services()["web"]["restarts"], 0, "a restart on request does not count")

    result = init.ctl("stop", "slow")
    equal((result.returncode, states(init, "slow")), (0, ["inactive"]), "stop waits until it is down")
    equal(init.ctl("stop", "slow").returncode, 0, "what is down already")
    equal(init.ctl("stop", "slow", "nobody").returncode, 3, "one of two is unknown")
    equal(init.ctl("start", "slow").returncode, 0, "start")

    result = init.ctl("start", "late", "--timeout", "200ms")
    equal(result.returncode, 4, "exit code of a start that takes too long")
    contains(result.stderr, "late: starting", "what is said")
    init.write("go", "")
    equal(init.ctl("start", "late").stdout, "late: ready\n", "start waits until it is ready")

    result = init.ctl("start", "bad")
    equal(result.returncode, 1, "exit code of a start that fails")
    contains(result.stderr, "exited with code 3", "what is said")
    equal(init.ctl("start", "bad", "--no-wait").returncode, 0, "exit code without waiting")

    equal(init.ctl("start", "once").stdout, "once: completed\n", "a oneshot again")
    equal(init.read("once"), "x\nx\n", "its runs")

    pid = init.services()["web"]["pid"]
    result = init.ctl("signal", "web", "SIGKILL")
    contains(result.stdout, f"process {pid}", "what is said")
    init.wait_state("web", "running")
    init.wait_state("bad", "failed")
    equal(init.ctl("signal", "bad", "HUP").returncode, 1, "a service without a process")
    for verb in ("start", "stop", "restart", "signal"):
        result = init.ctl(verb, "nobody")
        equal(result.returncode, 3, f"exit code of {verb} for an unknown service")
        contains(result.stderr, "nobody", f"what {verb} says")
        equal(init.ctl(verb, "x" * 64).returncode, 3, f"exit code of {verb} for a long name")

    init.signal(15)
    equal(init.wait(), 0, "exit code")
