# SPDX-License-Identifier: MIT
"""A oneshot is done when it exits 0; one that fails is tried again, and then failed with its code."""
from lib import Init, equal, free_port, tool

M = tool("misbehave")
CONFIG = f"""
[service:good]
type = oneshot
command = {M} pid {{dir}}/good exit 0
[service:second-time]
type = oneshot
command = sh -c 'echo x >>{{dir}}/second; [ $(wc -l <{{dir}}/second) = 2 ]'
restart_backoff = 1ms..1ms
[service:app]
command = {M} forever
depends_on = good, second-time
[service:bad]
type = oneshot
command = {M} pid {{dir}}/bad exit 7
restart_backoff = 1ms..1ms
essential = no
[service:once]
type = oneshot
command = {M} pid {{dir}}/once exit 7
restart = no
essential = no
"""

with Init(config=CONFIG) as init:
    init.wait_state("app", "running")
    init.wait_state("bad", "failed")
    init.wait_state("once", "failed")
    services = init.services()
    for name, state, starts, code in (("good", "completed", 1, 0), ("second-time", "completed", 2, 0),
                                      ("bad", "failed", 3, 7), ("once", "failed", 1, 7)):
        now = services[name]
        equal((now["state"], now["starts"], now["last_exit"]), (state, starts, code), name)
    init.wait_line("good: completed after")
    # asked for again, it runs again
    equal(init.ctl("start", "good").returncode, 0, "exit code of musterctl start")
    equal(init.read("good").count("\n"), 2, "runs")
    init.signal(15)
    equal(init.wait(), 0, "exit code")

# nothing but oneshots: done when they are, with nobody left to drain
with Init(config=f"[muster]\ndrain = 1h\n[service:a]\ntype = oneshot\ncommand = {M} exit 0\n"
                 f"[service:b]\ntype = oneshot\ncommand = {M} exit 0\ndepends_on = a\n") as init:
    equal(init.wait(), 0, "exit code")
    init.wait_line("ended: every service has ended; exit code 0")

# the sidecar, which never ends by itself, is nothing that is left
with Init(config=f"[sidecar]\nlisten = 127.0.0.1:{free_port()}\n[service:a]\ntype = oneshot\ncommand = {M} exit 0\n") as init:
    equal(init.wait(), 0, "exit code beside a sidecar")
    init.wait_line("ended: every service has ended; exit code 0")

with Init(config=f"[service:a]\ntype = oneshot\ncommand = {M} exit 6\nrestart = no\n"
                 f"[service:b]\ncommand = {M} forever\ndepends_on = a\n") as init:
    equal(init.wait(), 6, "exit code")
    init.wait_line("ended: essential service a failed; exit code 6")
