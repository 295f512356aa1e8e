# SPDX-License-Identifier: MIT
"""The orphans of services are reaped, hundreds at once, and counted; none is taken for a service, and no helper of init for one."""
import json

from lib import Init, equal, read_proc, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} orphans 500 pid {{dir}}/done forever
[service:other]
command = {M} pid {{dir}}/other forever
"""
LOGGED = f"[service:logged]\ncommand = {M} forever\nlog = file:{{dir}}/log\n"


def reaped(init):
    return json.loads(init.ctl("status", "--json").stdout)["init"]["reaped"]


def has_log_writer(init):
    return any(b"--log-writer" in read_proc(pid, "cmdline") for pid in init.pids())


for pid1 in (True, False):
    with Init(config=CONFIG + LOGGED, pid1=pid1) as init:
        init.wait_file("done")
        init.wait_file("other")
        init.no_zombies()
        until(lambda: reaped(init) == 500, "500 are counted")
        services = init.services()
        equal([(s["state"], s["starts"]) for s in services.values()], [("running", 1)] * 3, "services")
        init.write("muster.ini", init.fill(CONFIG))
        equal(init.ctl("reload").stdout, "removed: logged\n", "the reload")
        until(lambda: not has_log_writer(init), "the writer of the log has ended")
        init.no_zombies()
        equal(reaped(init), 500, "orphans, which the writer is not")
        init.signal(15)
        equal(init.wait(), 0, "exit code")
