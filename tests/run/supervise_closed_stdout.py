# SPDX-License-Identifier: MIT
"""Whatever stdout and stderr are (closed, a broken pipe, a full disk) services run and are supervised."""
import os
import socket

from lib import Init, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} lines 20000 error problem identity {{dir}}/web await {{dir}}/crash exit 1
restart_backoff = 1ms..1ms
restart_limit = unlimited
"""


def works(**options):
    with Init(config=CONFIG, **options) as init:
        equal(sorted(init.json("web")["fds"]), ["0", "1", "2"], "descriptors")
        init.write("crash", "")
        until(lambda: (init.services().get("web") or {}).get("starts", 0) >= 2, "it is started again")
        (init.dir / "crash").unlink()
        equal(init.ctl("logs", "-n", "1", "web").returncode, 0, "exit code of musterctl logs")
        init.signal(15)
        equal(init.wait(), 0, "exit code")


for closed in ([0], [1], [2], [0, 1, 2]):
    works(setup=lambda: [os.close(fd) for fd in closed])
for broken in ("stdout", "stderr"):
    reader, writer = os.pipe()
    os.close(reader)
    works(**{broken: writer})
    os.close(writer)
# a socket whose other end is gone
ours, theirs = socket.socketpair()
ours.close()
works(stdout=theirs.fileno(), stderr=theirs.fileno())
theirs.close()
with open("/dev/full", "wb") as full:
    works(stdout=full, stderr=full)
