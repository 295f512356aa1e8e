# SPDX-License-Identifier: MIT
"""A second muster-init does not take over the runtime directory of one that runs; one that died leaves nothing in the way."""
import os
import signal

from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} pid {{dir}}/web forever\n"

with Init(config=CONFIG) as first:
    first.wait_line("all ready after")
    pid = first.services()["web"]["pid"]
    with Init(config=CONFIG, env={"MUSTER_RUN_DIR": str(first.run_dir)}) as second:
        second.wait_line("cannot use .*: another muster-init answers there: no status page and no control socket")
        second.wait_file("web")
        equal(first.services()["web"]["pid"], pid, "the first answers")
        second.signal(15)
        equal(second.wait(), 0, "exit code of the second")
    equal(first.ctl("status").returncode, 0, "exit code of musterctl status")
    # killed, it can clean nothing up
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    equal(sorted(os.listdir(first.run_dir)), ["control.sock", "durations", "status"], "what is left")
    equal(first.ctl("status").returncode, 6, "exit code of musterctl when it is gone")
    with Init(config=CONFIG, env={"MUSTER_RUN_DIR": str(first.run_dir)}) as third:
        third.wait_line("all ready after")
        equal(third.ctl("restart", "web").returncode, 0, "exit code of musterctl restart")
        third.signal(15)
        equal(third.wait(), 0, "exit code of the third")
        equal(os.listdir(first.run_dir), ["durations"], "what is left, for the next start")
