# SPDX-License-Identifier: MIT
"""A system call that goes on failing is made again and again, but not as fast as it can be; and when it succeeds again
all goes on."""
import contextlib
import signal
import time

from faultlib import Fault
from lib import Failure, Init, check, tool, until

M = tool("misbehave")
SECONDS = 1
OFTEN = 1000  # a second; as fast as it can be is 25,000 and more, also while strace looks on

CONFIG = f"""
[service:web]
command = {M} times 1000000 [ orphan [ exit 0 ] print tick sleep 20 ] forever
readiness_probe = exec:{M} exit 0
readiness_probe_period = 20ms
[service:told]
command = {M} notify READY=1 times 1000000 [ notify STATUS=busy sleep 20 ] forever
readiness_probe = notify
[service:lazy]
command = {tool("listener")}
listen = unix:{{dir}}/lazy
start = on-demand
"""
WRAPPED = ("--", M, "on", "USR1", "[", "append", "{dir}/usr1", "x", "]", "pid", "{dir}/up",
           "times", "1000000", "[", "orphan", "[", "exit", "0", "]", "sleep", "20", "]")


def ask(init):
    with contextlib.suppress(Failure, OSError), init.control() as control:
        control.socket.settimeout(0.1)
        control.ask(1)


def supervised(init):
    """It answers, takes what is printed, and reaps."""
    before = len(init.stdout)
    with init.control() as control:
        control.ask(1)
    until(lambda: len(init.stdout) > before, "what is printed comes")
    dead = set(init.zombies())
    until(lambda: not dead & set(init.zombies()), "the dead are reaped")


def wrapped(init):
    before = len(init.read("usr1"))
    init.signal(signal.SIGUSR1)
    until(lambda: len(init.read("usr1")) > before, "USR1 arrives")
    dead = set(init.zombies())
    until(lambda: not dead & set(init.zombies()), "the dead are reaped")


def paced(init, act, is_well, call, error):
    with Fault(init, call, error) as fault:
        end = time.monotonic() + SECONDS

        def long_enough():
            act(init)
            return time.monotonic() > end and "(INJECTED)" in fault.read()

        until(long_enough, f"{call} fails")
    check(fault.rate() < OFTEN, f"{call}, {error}: {fault.rate():.0f} times a second")
    is_well(init)


with Init(config=CONFIG) as one:
    one.wait_state("web", "ready")
    one.wait_state("told", "ready")
    for failing in (("epoll_wait", "EINTR"), ("epoll_wait", "ENOMEM"), ("read", "EAGAIN"), ("read", "EIO"), ("wait4", "EINTR"),
                    ("wait4", "ENOMEM"), ("waitid", "EINTR"), ("accept4", "ENOMEM"), ("accept4", "EMFILE"),
                    ("recvfrom", "EINTR"), ("recvmsg", "ENOMEM")):
        paced(one, ask, supervised, *failing)

with Init(*WRAPPED) as one:
    one.wait_file("up")
    for failing in (("rt_sigtimedwait", "EAGAIN"), ("rt_sigtimedwait", "EINTR"), ("rt_sigtimedwait", "ENOMEM"),
                    ("wait4", "EINTR"), ("wait4", "ENOMEM"), ("wait4", "ECHILD")):
        paced(one, lambda init: None, wrapped, *failing)
