#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PID 1 needs neither /proc nor /dev nor a writable root: code, forwarding and leftovers are the same."""
import signal

from lib import Init, equal, need_root, tool

need_root()
BARE = ["unshare", "--mount", "sh", "-c",
        'umount -l /proc; mount -t tmpfs none /dev; mount -t tmpfs none /sys; '
        'mount --bind {dir} {dir} && mount -o remount,ro,bind /; exec "$@"', "sh"]

with Init("--grace", "300ms", "--", tool("misbehave"),
          "orphan", "[", "ignore", "TERM", "setsid", "pid", "{dir}/up", "forever", "]",
          "on", "USR1", "[", "exit", 8, "]", "await", "{dir}/up", "pid", "{dir}/main", "forever", prefix=BARE) as init:
    init.wait_file("main")
    init.signal(signal.SIGUSR1)
    equal(init.wait(), 8, "exit code")
    equal(init.stderr, "", "stderr")
