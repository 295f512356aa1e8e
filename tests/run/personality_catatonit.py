#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""As catatonit: adopts orphans by itself, keeps neither descriptors nor its working directory, passes LISTEN_FDS on,
has a group for the program, and -P only waits and reaps."""
import os
import signal
import socket
import subprocess
import tempfile

from lib import Init, called, equal, need, need_root, proc_children, proc_parent, proc_state, tool, until

CATATONIT = called("catatonit")


def open_fds(pid):
    return sorted(map(int, os.listdir(f"/proc/{pid}/fd")))


for pid1 in (True, False):
    with socket.socket() as listener, open(os.devnull, "rb") as other:
        listener.bind(("127.0.0.1", 0))
        fds = sorted((listener.fileno(), other.fileno()))
        with Init("--", tool("misbehave"), "identity", "{dir}/me", "orphan", "[", "pid", "{dir}/orphan", "await",
                  "{dir}/go", "]", "on", "USR1", "[", "exit", 5, "]", "pid", "{dir}/up", "forever",
                  program=CATATONIT, pid1=pid1, fds=fds, cwd="/usr/lib",
                  prefix=[] if pid1 else ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"],
                  env={"LISTEN_FDS": "2", **({"LISTEN_PID": "1"} if pid1 else {})}) as init:
            init.wait_file("up")
            me = init.json("me")
            equal(me["cwd"], "/usr/lib", "working directory of the program")
            equal(os.readlink(f"/proc/{init.pid}/cwd"), "/", "that of init")
            until(lambda: open_fds(init.pid) == [0, 1, 2], lambda: f"init keeps {open_fds(init.pid)}")
            equal(sorted(map(int, me["fds"])), [0, 1, 2, *fds], "descriptors of the program")
            equal({word for word in me["environment"] if word.startswith("LISTEN_")},
                  {f"LISTEN_PID={me['pid']}", "LISTEN_FDS=2"}, "LISTEN_ variables")
            equal(me["pgid"], me["pid"], "group of the program")
            orphan = init.outside(int(init.wait_file("orphan")))
            until(lambda: proc_parent(orphan) == init.pid, "the orphan is adopted")
            init.write("go", "")
            until(lambda: len(proc_children(init.pid)) == 1, "the orphan is reaped")
            init.signal(signal.SIGUSR1)
            equal(init.wait(), 5, "exit code")

# a pause container: another process of its namespace leaves it an orphan
need_root()
need("nsenter")
for end in (signal.SIGTERM, signal.SIGINT):
    with Init("-P", program=CATATONIT, cwd=tempfile.gettempdir()) as init:
        until(lambda: os.readlink(f"/proc/{init.pid}/cwd") == "/", "it waits")
        subprocess.run(["nsenter", "--target", str(init.pid), "--pid", tool("misbehave"), "orphan", "[", "await",
                        init.path("go"), "]"], check=True)
        orphan, = until(lambda: proc_children(init.pid), "the orphan is adopted")
        init.write("go", "")
        until(lambda: not proc_state(orphan), "the orphan is reaped")
        equal(open_fds(init.pid), [0, 1, 2], "descriptors of init")
        init.signal(signal.SIGHUP)
        init.signal(end)
        equal(init.wait(), 0, f"exit code after signal {end}")
