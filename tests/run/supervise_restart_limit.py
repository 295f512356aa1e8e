# SPDX-License-Identifier: MIT
"""A service that has to be restarted more often than restart_limit allows fails for good, unless it is asked for again."""
from lib import Init, contains, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} pid {{dir}}/pids exit 5
restart_backoff = 1ms..1ms
restart_limit = 4/60s
essential = ESSENTIAL
[service:other]
command = {M} forever
"""

with Init(config=CONFIG.replace("ESSENTIAL", "no")) as init:
    web = init.wait_state("web", "failed")
    equal((web["starts"], web["restarts"], web["last_exit"]), (5, 4, 5), "starts, restarts, exit code")
    contains(web["reason"], "exited with code 5", "reason")
    with init.events() as events:
        equal(init.ctl("start", "--no-wait", "web").returncode, 0, "exit code of musterctl start")
        events.until("web", "failed")
    equal(init.read("pids").count("\n"), 10, "starts")
    equal(init.services()["other"]["state"], "running", "the other one")

with Init(config=CONFIG.replace("ESSENTIAL", "yes")) as init:
    equal(init.wait(), 5, "exit code")
    equal(init.read("pids").count("\n"), 5, "starts")
    init.wait_line("error: web: failed: exited with code 5")

# whatever its code: what is always started again, and may not be any more, has not completed
with Init(config=CONFIG.replace("exit 5", "exit 0\nrestart = always").replace("ESSENTIAL", "yes")) as init:
    equal(init.wait(), 1, "exit code")
    equal(init.read("pids").count("\n"), 5, "starts")
    init.wait_line("ended: essential service web failed; exit code 1")

# the restarts of a short window do not add up over a long time
with Init(config=CONFIG.replace("4/60s", "2/50ms").replace("pids exit", "pids sleep 40 exit")
          .replace("ESSENTIAL", "no")) as init:
    with init.events() as events:
        for _ in range(5):
            equal(events.until("web", "failed", "running")["state"], "running", "after a restart")
