# SPDX-License-Identifier: MIT
"""MAINPID names another main process: a process of the service only, which is then the one that counts."""
import os
import signal

from lib import Init, equal, until
from notifylib import PROGRAM, fresh, speaker

CONFIG = f"""
[service:old]
command = {PROGRAM} {{dir}}/old
readiness_probe = notify
restart_backoff = 1ms
[service:other]
command = {PROGRAM} {{dir}}/other
readiness_probe = notify
[service:forking]
command = {PROGRAM} {{dir}}/forking
readiness_probe = notify
restart = no
essential = no
[service:bound]
command = sleep 1000
depends_on = forking:started:restart
"""


def main_pid(init, name):
    return init.services()[name]["pid"]


with Init(config=CONFIG) as init:
    old, other = speaker(init, "old"), speaker(init, "other")
    other.say("READY=1")
    first = old.pid()
    for wrong in (other.pid(), 1, 0, -5, 999999, "x", 2 ** 31):
        old.say(f"MAINPID={wrong}")
        equal(main_pid(init, "old"), first, f"main process after MAINPID={wrong}")
    init.wait_line("old: MAINPID=.* is no process of its own and is ignored")
    old.say(f"MAINPID={first}\nREADY=1")
    equal(init.services()["old"]["state"], "ready", "the service")

    # in a session of its own: its parent speaks for it, then it speaks for itself
    second = old.child(init.dir / "second", session=True)
    new = speaker(init, "second")
    old.say(f"MAINPID={second}\nSTATUS=handing over")
    equal(main_pid(init, "old"), second, "main process")
    new.say("STATUS=from the new one")
    equal(init.services()["old"]["reason"], "from the new one", "what the new one says")
    # the old one may go, and the service does not end with it
    old.exit(7)
    until(lambda: not os.path.exists(f"/proc/{init.outside(first)}"), "the old one is gone")
    new.say("STATUS=alone")
    equal(init.services()["old"]["starts"], 1, "starts")
    # a stop goes to the new one, and so does its end count
    equal(init.ctl("signal", "old", "USR1").returncode, 0, "exit code of musterctl signal")
    until(lambda: init.services()["old"]["starts"] == 2, "it was started again when the new one ended")
    equal(init.services()["old"]["last_exit"], 128 + signal.SIGUSR1, "how the new one ended")

    # a main process whose parent is not init: its end is seen, though not how it ended
    forking = speaker(init, "forking")
    inner = forking.child(init.dir / "inner")
    forking.say(f"MAINPID={inner}\nREADY=1")
    equal(main_pid(init, "forking"), inner, "main process")
    speaker(init, "inner").exit(0)
    init.wait_state("forking", "failed")
    equal(init.services()["forking"]["reason"], "ended; only its parent process knows how", "the reason")
    # started again it takes with it who asked for that
    equal(init.ctl("start", "--no-wait", "forking").returncode, 0, "exit code of start")
    until(lambda: init.services()["bound"]["starts"] == 2, "the one that restarts with it")
    fresh(init, "forking").say("READY=1")
    fresh(init, "old").say("READY=1")
    init.wait_state("old", "ready")
    equal(init.ctl("shutdown").returncode, 0, "exit code of musterctl shutdown")
    init.wait()
