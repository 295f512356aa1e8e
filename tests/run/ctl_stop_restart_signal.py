# SPDX-License-Identifier: MIT
"""musterctl stop stays stopped, restart starts anew, signal reaches the process; each waits for its effect."""
from lib import Init, contains, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} on USR1 [ append {{dir}}/got usr1 ] on TERM [ append {{dir}}/got term sleep 50 exit 0 ] pid {{dir}}/pids forever
restart = always
[service:user]
command = {M} pid {{dir}}/user forever
depends_on = web
[service:stubborn]
command = {M} ignore TERM pid {{dir}}/stubborn forever
stop_grace_period = 100ms
"""

with Init(config=CONFIG) as init:
    for name in ("pids", "user", "stubborn"):
        init.wait_file(name)
    pid = init.services()["web"]["pid"]
    result = init.ctl("signal", "web", "USR1")
    equal((result.returncode, init.wait_file("got")), (0, "usr1\n"), "musterctl signal")
    contains(result.stdout, f"USR1 sent to process {pid}", "answer")

    equal(init.ctl("restart", "web").stdout, "web: running\n", "answer of musterctl restart")
    web = init.services()["web"]
    equal(web["pid"] != pid, True, "another process")
    equal((web["restarts"], web["starts"]), (0, 2), "restarts by itself, starts")
    until(lambda: init.read("pids").count("\n") == 2, "it runs again")

    equal(init.ctl("stop", "web").stdout, "web: inactive\n", "answer of musterctl stop")
    web = init.services()["web"]
    equal((web["state"], web["pid"], web["last_exit"], web["wanted"]), ("inactive", None, 0, False), "web")
    equal(init.services()["user"]["state"], "running", "what depends on it")
    equal(init.ctl("stop", "web").returncode, 0, "exit code for what is stopped already")
    result = init.ctl("signal", "web", "USR1")
    equal(result.returncode, 1, "exit code for a signal to what does not run")
    contains(result.stderr, "web has no process", "what is said")
    equal(init.ctl("signal", "web", "NONSENSE").returncode, 2, "exit code for a signal that there is none")

    equal(init.ctl("start", "web").returncode, 0, "exit code of musterctl start")
    equal(init.ctl("stop", "stubborn").returncode, 0, "exit code of stop with KILL")
    equal(init.services()["stubborn"]["last_exit"], 137, "how it ended")
    # a wish that comes while it is being stopped is kept
    init.ctl("start", "stubborn")
    until(lambda: init.read("stubborn").count("\n") == 2, "it runs again")
    equal(init.ctl("stop", "--no-wait", "stubborn").stdout, "stubborn: stopping\n", "answer")
    equal(init.ctl("start", "stubborn").stdout, "stubborn: running\n", "answer")
    equal(init.services()["stubborn"]["starts"], 3, "starts")
    for verb in ("start", "stop", "restart", "signal"):
        equal(init.ctl(verb, "nobody").returncode, 3, f"exit code of {verb} for an unknown service")
    equal(init.ctl("shutdown").returncode, 0, "exit code of musterctl shutdown")
    equal(init.wait(), 0, "exit code")
    init.wait_line("ended: asked for by user")
    equal(init.ctl("stop", "web").returncode, 6, "exit code when init is gone")
