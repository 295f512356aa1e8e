# SPDX-License-Identifier: MIT
"""pre_start runs before each start, stop_command before the stop signal, which what has ended by then does not get,
post_stop after each end; all as the service's user."""
from lib import IS_ROOT, Init, equal, tool, until

M = tool("misbehave")
USER = "user = 65534\nulimit_nofile = 99" if IS_ROOT else ""
CONFIG = f"""
[service:web]
pre_start = {M} append {{dir}}/order pre-start identity {{dir}}/work/pre sleep 20 append {{dir}}/order pre-done
command = {M} append {{dir}}/order start on USR1 [ append {{dir}}/order usr1 exit 0 ] on TERM [ append {{dir}}/order term exit 0 ] notify READY=1 await {{dir}}/work/crash remove {{dir}}/work/crash exit 1
stop_command = sh -c 'echo stop >>{{dir}}/order; kill -USR1 $(cat {{dir}}/work/process); while :; do sleep 1; done'
post_stop = {M} append {{dir}}/order post-start sleep 20 append {{dir}}/order post-done
readiness_probe = notify
restart_backoff = 1ms..1ms
{USER}
""".replace("on USR1", "pid {dir}/work/process on USR1")

run = Init(config=CONFIG)
(run.dir / "work").mkdir()
(run.dir / "work").chmod(0o777)
run.write("order", "", mode=0o666)
with run as init:
    init.wait_state("web", "ready")
    before = ["pre-start", "pre-done", "start"]
    after = ["post-start", "post-done"]
    equal(init.read("order").split(), before, "order of the start")
    if IS_ROOT:
        identity = init.json("work/pre")
        equal(identity["status"]["Uid"].split(), ["65534"] * 4, "user of the hook")
        equal(identity["limits"]["7"], [99, 99], "its limits")
    # an end by itself: no stop_command
    (init.dir / "work/process").unlink()
    init.write("work/crash", "")
    until(lambda: "post-start" in init.read("order"), "post_stop")
    until(lambda: init.read("order").count("start\n") >= 5, "it is started again")
    init.wait_state("web", "ready")
    equal(init.read("order").split(), before + after + before, "order of a restart")
    equal(init.ctl("stop", "web").returncode, 0, "exit code of musterctl stop")
    equal(init.read("order").split(), before + after + before + ["stop", "usr1"] + after, "order of a stop")
    # what does not run has nothing to stop
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    equal(init.read("order").split()[-2:], after, "the last")
