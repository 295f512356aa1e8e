# SPDX-License-Identifier: MIT
"""What a service says by sd_notify is taken to the letter: STATUS, RELOADING, STOPPING, ERRNO, EXTEND_TIMEOUT_USEC."""
from lib import Init, check, equal, until
from notifylib import PROGRAM, speaker

CONFIG = f"""
[service:talker]
command = {PROGRAM} {{dir}}/talker
readiness_probe = notify
[service:dependent]
command = sleep 1000
depends_on = talker
[service:failing]
command = {PROGRAM} {{dir}}/failing
readiness_probe = notify
restart = no
essential = no
[service:leaving]
command = {PROGRAM} {{dir}}/leaving
readiness_probe = notify
restart = no
essential = no
[service:hanging]
command = {PROGRAM} {{dir}}/hanging
readiness_probe = notify
stop_grace_period = 100ms
restart = on-failure
[service:refused]
command = {PROGRAM} {{dir}}/refused
readiness_probe = notify
restart = no
essential = no
[service:early]
command = {PROGRAM} {{dir}}/early
readiness_probe = notify
restart = no
essential = no
[service:ended]
command = {PROGRAM} {{dir}}/ended
stop_signal = WINCH
readiness_probe = notify
restart = no
essential = no
[service:slow]
command = {PROGRAM} {{dir}}/slow
readiness_probe = notify
ready_timeout = 2m
"""


def shown(init, name):
    service = init.services()[name]
    return service["state"], service["reason"]


with Init(config=CONFIG) as init:
    talker = speaker(init, "talker")
    # order within a datagram does not matter, and what is not known is passed over
    talker.say("X_OWN=1\nSTATUS=loading 1 of 3\n\n=\nnonsense\nFDNAME=\nWATCHDOG_USEC=-1")
    equal(shown(init, "talker"), ("starting", "loading 1 of 3"), "while it loads")
    talker.say("STATUS=\xc3\xa9t\xc3\xa9 \x1b[31m\x01\xff red")
    equal(shown(init, "talker")[1], "\u00e9t\u00e9 ?[31m?? red", "what cannot be shown")
    talker.say("STATUS=" + "\xc3\xa9" * 2000)
    check(set(shown(init, "talker")[1]) == {"\u00e9"}, "a long one is cut behind a character")
    talker.say("STATUS=serving\nREADY=1")
    equal(shown(init, "talker"), ("ready", "serving"), "when it is ready")
    init.wait_state("dependent", "running")
    talker.say("RELOADING=1\nMONOTONIC_USEC=12345678")
    equal(shown(init, "talker"), ("ready", "reloading"), "while it reloads")
    talker.say("READY=1")
    equal(shown(init, "talker"), ("ready", "serving"), "when it has reloaded")
    talker.say("STATUS=")
    equal(shown(init, "talker"), ("ready", None), "with no status")
    equal(init.services()["dependent"]["starts"], 1, "starts of what depends on it")

    failing = speaker(init, "failing")
    failing.say("READY=1\nERRNO=28\nSTATUS=no room")
    failing.exit(3)
    init.wait_state("failing", "failed")
    equal(shown(init, "failing")[1], "exited with code 3: No space left on device", "with ERRNO")

    refused = speaker(init, "refused")
    refused.say("READY=1\nERRNO=4095\nBUSERROR=org.example.Error.NotNow\x07")
    refused.exit(3)
    init.wait_state("refused", "failed")
    equal(shown(init, "refused")[1], "exited with code 3: org.example.Error.NotNow?", "with BUSERROR")

    # reloading and stopping are said before there is anything to reload or to stop
    early = speaker(init, "early")
    early.say("STATUS=early\nRELOADING=1")
    equal(shown(init, "early"), ("starting", "early"), "while it starts")
    early.say("READY=1")
    equal(shown(init, "early"), ("ready", "early"), "when it is ready")
    early.say("STOPPING=1")
    equal(shown(init, "early"), ("stopping", "says that it is stopping"), "while it stops")
    early.exit(0)
    init.wait_state("early", "completed")

    # what it says while init ends it does not hide why
    ended = speaker(init, "ended")
    ended.say("READY=1\nSTATUS=at work")
    equal(init.ctl("stop", "--no-wait", "ended").returncode, 0, "exit code of musterctl stop")
    ended.say("STATUS=saving")
    equal(shown(init, "ended"), ("stopping", "saving"), "while it is stopped")
    ended.exit(0)
    init.wait_state("ended", "inactive")

    leaving = speaker(init, "leaving")
    leaving.say("READY=1")
    leaving.say("STOPPING=1\nSTATUS=writing it all down")
    equal(shown(init, "leaving"), ("stopping", "writing it all down"), "while it stops by itself")
    leaving.exit(0)
    init.wait_state("leaving", "completed")

    # who says so and does not end has its grace period, and a KILL is a failure
    hanging = speaker(init, "hanging")
    hanging.say("READY=1")
    hanging.say("STOPPING=1", wait=False)
    init.wait_line("hanging: still there after 100 ms: killing it")
    until(lambda: init.services()["hanging"]["starts"] == 2, "hanging was started again")
    equal(init.services()["hanging"]["last_exit"], 137, "its end")

    slow = speaker(init, "slow")
    slow.say("EXTEND_TIMEOUT_USEC=600000000")
    equal(shown(init, "slow")[0], "starting", "what asked for more time")
    slow.say("READY=1")
    init.wait_state("slow", "ready")
