# SPDX-License-Identifier: MIT
"""Hooks that fail or hang do not hold anything up: each has its time, and what follows, follows."""
from lib import Init, check, equal, tool, until

M = tool("misbehave")


def service(*keys):
    return "[service:web]\nrestart_backoff = 1ms..1ms\n" + "".join(f"{key}\n" for key in keys)


# pre_start: a failed start, tried start_retries times; the program never runs, nor does post_stop
config = service(f"command = {M} pid {{dir}}/ran forever", f"pre_start = {M} pid {{dir}}/pre exit 6",
                 f"post_stop = {M} pid {{dir}}/post", "start_retries = 2")
with Init(config=config) as init:
    equal(init.wait(), 6, "exit code when pre_start fails")
    equal(init.read("pre").count("\n"), 2, "attempts")
    equal(init.read("ran") + init.read("post"), "", "what did not run")
    init.wait_line("web: failed: its pre_start command exited with code 6")

config = service(f"command = {M} pid {{dir}}/ran forever", "pre_start = /no/such/hook", "start_retries = 1")
with Init(config=config) as init:
    equal(init.wait(), 127, "exit code when pre_start is missing")
    equal(init.read("ran"), "", "what did not run")

# a pre_start that hangs has ready_timeout, its children go with it
config = service(f"command = {M} pid {{dir}}/ran forever",
                 f"pre_start = {M} child [ pid {{dir}}/pre forever ] forever", "start_retries = 2", "ready_timeout = 3s")
with Init(config=config) as init:
    check(init.wait() > 0, "exit code when pre_start hangs")
    equal(init.read("pre").count("\n"), 2, "attempts")
    equal(init.read("ran"), "", "what did not run")
    init.wait_line("web: failed: not ready within 3000 ms")

# what it started in a session of its own has ended before the next attempt, however the hook ended
for ending, keys in (("exit 6", []), ("sleep 1000", ["ready_timeout = 3s"])):
    hook = ("for pid in $(cat {dir}/escaped); do kill -0 $pid && echo $pid >>{dir}/alive; done; "
            "setsid sh -c \"echo \\$\\$ >>{dir}/escaped; exec sleep 1000\" & "
            f"until [ -s {{dir}}/escaped ]; do sleep 0.01; done; {ending}")
    config = service(f"command = {M} forever", f"pre_start = sh -c '{hook}'", "start_retries = 2", *keys)
    with Init(config=config) as init:
        check(init.wait() > 0, "exit code")
        equal(init.read("alive"), "", "what the first attempt has left, at the second")
        check(init.read("escaped"), "it left something")

# after a good start the attempts begin anew
config = service(f"command = {M} append {{dir}}/runs x exit 1", "start_retries = 2", "restart_limit = unlimited",
                 "pre_start = sh -c 'echo x >>{dir}/pre; [ $(($(wc -l <{dir}/pre) % 2)) = 0 ]'")
with Init(config=config) as init:
    until(lambda: init.read("runs").count("x") >= 4, "four starts, each at the second attempt")

# stop_command: whether it fails or not the signal is sent to what it has not ended
for code in (3, 0):
    config = service(f"command = {M} on TERM [ append {{dir}}/end term exit 0 ] pid {{dir}}/up forever",
                     f"stop_command = {M} exit {code}")
    with Init(config=config) as init:
        init.wait_file("up")
        equal(init.ctl("stop", "web").returncode, 0, "exit code of musterctl stop")
        equal(init.read("end"), "term\n", f"signal after a stop_command that exited with {code}")
        if code:
            init.wait_line("web: its stop_command command exited with code 3")

# one that hangs takes all the time there is; what it left undone, KILL does
config = service(f"command = {M} on TERM [ append {{dir}}/end term ] pid {{dir}}/up forever",
                 f"stop_command = {M} child [ pid {{dir}}/hook forever ] forever", "stop_grace_period = 80ms")
with Init(config=config) as init:
    init.wait_file("up")
    equal(init.ctl("stop", "web").returncode, 0, "exit code of musterctl stop")
    equal(init.read("end"), "", "signals but KILL")
    equal(init.services()["web"]["last_exit"], 137, "how it ended")
    hook = init.read("hook").split()
    until(lambda: not any(init.outside(int(pid)) for pid in hook), "the hook is gone, too")

# post_stop: its code is not that of the service, and it has the grace period
config = service(f"command = {M} exit 4", "restart = no", f"post_stop = {M} exit 9")
with Init(config=config) as init:
    equal(init.wait(), 4, "exit code when post_stop fails")
config = service(f"command = {M} exit 4", "restart = no", "post_stop = /no/such/hook")
with Init(config=config) as init:
    equal(init.wait(), 4, "exit code when post_stop is missing")
    init.wait_line("web: failed: exited with code 4")
    init.wait_line("warning: web: cannot start /no/such/hook: ")
config = service(f"command = {M} exit 4", "restart = no", "stop_grace_period = 60ms",
                 f"post_stop = {M} child [ forever ] ignore TERM forever")
with Init(config=config) as init:
    equal(init.wait(), 4, "exit code when post_stop hangs")
