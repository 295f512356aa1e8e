# SPDX-License-Identifier: MIT
"""A service with readiness_probe = unix:PATH is ready when it takes connections there."""
import socket

from lib import Init, contains, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:db]
command = {M} pid {{dir}}/up await {{dir}}/go unix {{dir}}/db.sock forever
readiness_probe = unix:{{dir}}/db.sock
"""


def reason(init, part):
    until(lambda: part in (init.services().get("db", {}).get("reason") or ""), part)


with Init(config=CONFIG) as init:
    reason(init, "not ready yet: No such file or directory")
    # a socket that a dead process has left behind is there, but nobody listens
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(init.path("db.sock"))
    reason(init, "not ready yet: Connection refused")
    contains(init.wait_file("up"), "\n", "it runs")
    init.write("go", "")
    init.wait_state("db", "ready")
