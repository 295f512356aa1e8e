#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whichever of its own system calls fails once, init does all it should or gives up soon with one clear line."""
import re
import time

from lib import Init, check, equal, need, tool

STRACE = need("strace")
CALLS = "fcntl,rt_sigprocmask,rt_sigaction,prctl,openat,clone,rt_sigtimedwait,wait4"
ERRORS = ("EINTR", "EAGAIN", "ENOMEM", "EPERM", "EMFILE", "ENOSYS")


def run(*inject):
    """Exit code, stderr and trace of init alone; its program is not traced."""
    with Init("--", tool("misbehave"), "exit", 5, pid1=False,
              prefix=[STRACE, "-q", "-o", "{dir}/trace", *inject]) as init:
        begin = time.monotonic()
        code = init.wait()
        check(time.monotonic() - begin < 15, f"{inject}: not soon")
        return code, init.stderr, init.read("trace")


def own_calls():
    """(call, number) of what init does itself, behind the loader: from the first look at descriptor 0."""
    counts, found, own = {}, [], False
    for line in run("-e", f"trace={CALLS}")[2].splitlines():
        call = line.split("(")[0]
        own = own or line.startswith("fcntl(0, F_GETFD")
        counts[call] = counts.get(call, 0) + 1
        # which signals are ignored is asked for one by one: the first and the last stand for all
        if own and call in CALLS.split(",") and (call != "rt_sigaction" or counts[call] < 4 or counts[call] > 62):
            found.append((call, counts[call]))
    return found


calls = own_calls()
check({call for call, _ in calls} == set(CALLS.split(",")), f"not all seen: {calls}")
for call, number in calls:
    for error in ERRORS:
        code, stderr, trace = run("-e", f"trace={CALLS}", "-e", f"inject={call}:error={error}:when={number}")
        what = f"{call} number {number} failing with {error}"
        check("(INJECTED)" in trace, f"{what}: nothing failed")
        check(not re.search(r"--- SIG(SEGV|ABRT|BUS|ILL)", trace), f"{what}: a fault")
        if code == 5:
            check(stderr == "" or call == "prctl" and "cannot become a subreaper" in stderr, f"stderr with {what}: {stderr}")
        else:
            equal(code, 70, f"exit code with {what}")
            check(re.fullmatch(r"muster-init: cannot .*: .*\n", stderr), f"{what}: {stderr!r}")
