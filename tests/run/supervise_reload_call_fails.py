# SPDX-License-Identifier: MIT
"""Whatever system call of a reload fails: it is refused, or done; what the file says is the same, so no service is
started anew for what could not be read."""
import re

from faultlib import Fault
from lib import DONE, RELOAD, Init, check, contains, equal, tool

SAME = "nothing changed\n"
# a call of the answer itself; close, which would leave it with ever fewer descriptors
OTHERS = {"sendto", "recvfrom", "recvmsg", "epoll_wait", "epoll_ctl", "poll", "accept4", "getsockopt", "close",
          "restart_syscall"}

with Init(config=f"[service:web]\ncommand = {tool('misbehave')} forever\nuser = nobody\n") as init:
    init.wait_line("all ready after")
    before = init.services()["web"]

    def reload():
        with init.control() as control:
            kind, text = control.ask(RELOAD)
            return kind, text.decode()

    with Fault(init) as trace:
        equal(reload(), (DONE, SAME), "a reload")
    calls = set(re.findall(r"^([a-z0-9_]+)\(", trace.text, re.M)) - OTHERS
    check({"openat", "read", "capget", "prctl"} <= calls, f"calls of a reload: {calls}")
    for call in sorted(calls):
        with Fault(init, call, "EACCES") as fault:
            kind, text = reload()
        if not fault.hits():
            continue
        if kind == DONE:
            equal(text, SAME, f"{call} fails")
        else:
            contains(text, "the old", f"{call} fails")
        equal(reload(), (DONE, SAME), f"after {call} failed")
    after = init.services()["web"]
    equal((after["pid"], after["starts"]), (before["pid"], before["starts"]), "the service")
