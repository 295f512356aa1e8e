#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A step towards another user that fails, or only pretends to work, ends in 77 and no program."""
from lib import Init, contains, equal, need, need_root, tool

need_root()
STRACE = need("strace")

# every call, refused and silently not done; what becomes of the step is in the message
for call, step in (("setgroups", "supplementary groups"), ("setresgid", "group"), ("setresuid", "user"),
                   ("capset", "capabilities"), ("prctl", "")):
    for result in ("error=EPERM", "error=EAGAIN", "error=EINVAL", "error=ENOSYS", "retval=0"):
        run = Init("--user", "54321:54321", "--no-new-privileges", "--", tool("misbehave"), "append", "{dir}/ran", "x",
                   prefix=[STRACE, "-f", "-q", "-o", "{dir}/trace", "-e", f"inject={call}:{result}:when=1+"])
        run.dir.chmod(0o777)
        with run as init:
            code = init.wait()
            what = f"{call} {result}"
            if call == "capset" and result == "retval=0":
                # the kernel has emptied the sets by itself, so there is nothing to miss
                equal(code, 0, f"exit code with {what}")
                continue
            equal(code, 77, f"exit code with {what}")
            equal(init.read("ran"), "", f"the program with {what}")
            expected = "check of the identity: not what was asked for" if result == "retval=0" else step
            contains(init.stderr, f": {expected}", f"stderr with {what}")
            lines = [line for line in init.stderr.splitlines() if "subreaper" not in line]  # another prctl that failed
            equal(len(lines), 1, f"lines with {what}")
