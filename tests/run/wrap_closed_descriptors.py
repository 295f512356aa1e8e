#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Started with any of 0, 1 and 2 closed, init runs its program, which finds all three open."""
import os

from lib import IS_ROOT, Init, check, equal, tool

# with a /dev, and where root may hide it, without
WITHOUT_DEV = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev && exec "$@"', "sh"]

for prefix in ([], WITHOUT_DEV) if IS_ROOT else ([],):
    for closed in range(8):
        words = " ".join(f"{fd}>&-" for fd in range(3) if closed & 1 << fd)
        shell = ["sh", "-c", f'exec {words}; exec "$@"', "sh"] if words else []
        with Init("--", tool("misbehave"), "identity", "{dir}/me", prefix=prefix + shell) as init:
            equal(init.wait(), 0, f"exit code with {words or 'none'} closed")
            fds = init.json("me")["fds"]
            equal(sorted(fds), ["0", "1", "2"], "descriptors of the program")
            for fd in (fd for fd in range(3) if closed & 1 << fd):
                check(fds[str(fd)] == "/dev/null" or prefix and "memfd" in fds[str(fd)],
                      f"{fd} is {fds[str(fd)]}")
            if not prefix and not closed & 1:
                equal(fds["0"], os.devnull, "stdin is as it was")
