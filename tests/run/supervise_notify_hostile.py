# SPDX-License-Identifier: MIT
"""Nothing that is sent to a service's notify socket, by whomever, harms muster-init or another service."""
import os
import pathlib
import socket

from lib import IS_ROOT, Init, check, contains, equal, proc_status, until
from notifylib import PROGRAM, speaker

CONFIG = f"""
[service:victim]
command = {PROGRAM} {{dir}}/victim
readiness_probe = notify
[service:villain]
command = {PROGRAM} {{dir}}/open/villain
readiness_probe = notify
{"user = 65534" if IS_ROOT else ""}
"""


def memory(init):
    status = proc_status(init.pid)
    return {name: status[name] for name in ("VmPeak", "VmSize", "VmData")}


def descriptors(init):
    return len(os.listdir(f"/proc/{init.pid}/fd"))


init = Init(config=CONFIG)
(init.dir / "open").mkdir()
(init.dir / "open").chmod(0o777)
with init:
    victim, villain = speaker(init, "victim"), speaker(init, "open/villain")
    target = victim.environment()["NOTIFY_SOCKET"]
    victim.say("STATUS=here")  # both have been started altogether
    before = memory(init), descriptors(init)

    def same():
        # the connection of a musterctl that has ended may still be there
        until(lambda: descriptors(init) == before[1], lambda: f"{before[1]} descriptors of init, not {descriptors(init)}")
        equal(memory(init), before[0], "memory of init")

    # oversized, with NULs inside, or of no use at all
    villain.say("x" * 100000 + "\nREADY=1")
    villain.say("READY=1\0\nREADY=1")
    villain.say("X=" + "y" * 4094 + "\nREADY=1")
    equal(init.services()["villain"]["state"], "starting", "after texts that are none")
    init.wait_line("villain: a notification that is no text of at most 4096 bytes is ignored")
    villain.say("\n" * 4096)
    villain.say("READY=1" * 500 + "=" * 500)
    villain.say("")
    for text in ("MAINPID=", "MAINPID=18446744073709551616", "WATCHDOG_USEC=99999999999999999999",
                 "EXTEND_TIMEOUT_USEC=18446744073709551615", "ERRNO=-1", "ERRNO=4000000000",
                 "FDSTORE=1", "FDSTOREREMOVE=1", "FDNAME=\x01", "BARRIER=1"):
        villain.say(text)
    equal(init.services()["villain"]["state"], "starting", "after numbers that are none")

    # descriptors that nobody asked for, as many as one message takes, are closed again
    file = os.open("/dev/null", os.O_RDONLY)
    villain.say("STATUS=take them", [file] * 240, times=50)
    villain.say("BARRIER=1", [file] * 240)
    villain.say("X=1", [file])
    same()

    # a flood: the others are served meanwhile, and the log does not fill
    lines = init.stderr.count("\n")
    for _ in range(4):
        villain.say("STATUS=" + "flood" * 800, times=5000, wait=False)
        villain.say("\0" * 4000, times=5000, wait=False)
        equal(init.ctl("status").returncode in (0, 1), True, "musterctl answers")
    villain.say("STATUS=dry")
    same()
    check(init.stderr.count("\n") <= lines + 1, "a flood does not fill the log")

    # whom the service belongs to says who may send; and whoever may is asked about
    own = villain.environment()["NOTIFY_SOCKET"]
    socket_path = pathlib.Path(f"/proc/{init.pid}/root{target}")
    equal(oct(socket_path.stat().st_mode & 0o777), "0o600", "mode of the socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.connect(str(socket_path))
        link.send(b"READY=1\nMAINPID=1")  # from outside: it has no pid in there at all
    victim.say("STATUS=mine")
    equal(init.services()["victim"]["state"], "starting", "what a stranger said for it")
    contains(init.stderr, "victim: a notification from process", "the stranger is told of")
    child = villain.child(init.dir / "open/child", session=True)
    speaker(init, "open/child").say("READY=1", wait=False)
    init.wait_line(f"villain: a notification from process {child}, which is not its own, is ignored")
    check(own != target, "each has a socket of its own")
    victim.say("READY=1")
    villain.say("READY=1")
    init.wait_state("victim", "ready")
    init.wait_state("villain", "ready")
    equal(init.ctl("shutdown").returncode, 0, "exit code of musterctl shutdown")
    until(lambda: not init.running(), "init ends")
    equal(init.wait(), 0, "exit code")
