# SPDX-License-Identifier: MIT
"""While kill(2) fails no signal can be sent; it is sent as soon as that is possible again, long before the grace is over."""
import contextlib
import signal

from faultlib import Fault
from lib import Init, check, equal, tool, until

M = tool("misbehave")
GRACE = 120  # seconds; a test does not take so long
CONFIG = f"""
[muster]
stop_timeout = {GRACE}s
[service:web]
command = {M} on TERM [ append {{dir}}/end told exit 0 ] pid {{dir}}/up forever
stop_grace_period = {GRACE}s
"""
WRAPPED = ("--grace", f"{GRACE}s", "--", M, "on", "TERM", "[", "append", "{dir}/end", "told", "exit", "0", "]",
           "pid", "{dir}/up", "forever")


@contextlib.contextmanager
def stop(error, act, *args, **options):
    with Init(*args, **options) as init:
        init.wait_file("up")
        with Fault(init, "kill", error) as fault:
            act(init)
            until(lambda: fault.read().count("(INJECTED)") > 3, "kill fails", 30)
            check(init.read("end") == "", "it was told all the same")
        until(lambda: init.read("end"), "it is told", 30)
        yield init


def term(init):
    init.signal(signal.SIGTERM)


for name in ("EINTR", "ENOMEM", "EPERM"):
    with stop(name, term, config=CONFIG) as one:
        equal(one.wait(30), 0, "exit code")
        equal(one.read("end"), "told\n", "what it was told")
    with stop(name, term, *WRAPPED) as one:
        equal(one.wait(30), 0, "exit code")
        equal(one.read("end"), "told\n", "what it was told")

# one that starts again is not told for what was owed to the one before it
with stop("EPERM", lambda init: init.ctl("restart", "--no-wait", "web"), config=CONFIG) as one:
    until(lambda: one.read("up").count("\n") == 2, "it is started again", 30)
    one.wait_state("web", "running")
    equal(one.read("end"), "told\n", "how often it was told")
