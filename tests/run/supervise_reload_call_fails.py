# SPDX-License-Identifier: MIT
"""Whatever system call of a reload fails: it is refused, or done; what the file says is the same, so no service is
started anew for what could not be read, and none goes on without init knowing of it."""
import collections
import re

from faultlib import Fault
from lib import DONE, RELOAD, Init, check, contains, equal, proc_children, read_proc, tool, until

SAME = "nothing changed\n"
# calls of the answer itself; close, which would leave it with ever fewer descriptors; those that no kernel fails
OTHERS = {"sendto", "recvfrom", "recvmsg", "epoll_wait", "epoll_ctl", "poll", "accept4", "getsockopt", "restart_syscall",
          "close", "uname", "getpid", "geteuid", "getegid"}
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:0
[service:web]
command = {tool("misbehave")} forever
user = nobody
"""


def reload(init):
    with init.control() as control:
        kind, text = control.ask(RELOAD)
        return kind, text.decode()


def calls_of_a_reload(init):
    with Fault(init) as trace:
        equal(reload(init), (DONE, SAME), "a reload")
    calls = collections.Counter(re.findall(r"^([a-z0-9_]+)\(", trace.text, re.M))
    check({"openat", "read", "capget", "prctl", "mmap"} <= set(calls), f"calls of a reload: {calls}")
    return calls


def fails_each_time(init, call):
    with Fault(init, call, "EACCES") as fault:
        kind, text = reload(init)
    if not fault.hits():
        return
    if kind == DONE:
        equal(text, SAME, f"{call} fails")
    else:
        contains(text, "the old", f"{call} fails")
    equal(reload(init), (DONE, SAME), f"after {call} failed")


def sidecars(init):
    return [pid for pid in proc_children(init.pid) if b"muster-sidecar" in read_proc(pid, "cmdline")]


def without_memory(init, times):
    """Once each: the sidecar may have to start anew, as it cannot be compared; that is said, and the old one ends."""
    def pid():
        return init.services()["muster-sidecar"]["pid"]

    before = until(pid, "the sidecar runs")
    for number in range(1, times + 1):
        with Fault(init, "mmap", "ENOMEM", str(number)):
            _, text = reload(init)
        if "restarted" in text:
            before = until(lambda: (now := pid()) != before and now, f"another sidecar, after mmap {number} failed")  # noqa: B023
        equal(pid(), before, f"the sidecar, after mmap {number} failed: {text}")
        until(lambda: len(sidecars(init)) == 1, lambda number=number: f"one sidecar: {sidecars(init)} after mmap {number}")


def main():
    with Init(config=CONFIG) as init:
        init.wait_line("all ready after")
        before = init.services()["web"]
        calls = calls_of_a_reload(init)
        for call in sorted(set(calls) - OTHERS):
            fails_each_time(init, call)
        without_memory(init, calls["mmap"])
        after = init.services()["web"]
        equal((after["pid"], after["starts"]), (before["pid"], before["starts"]), "the service")


main()
