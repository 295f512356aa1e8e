# SPDX-License-Identifier: MIT
"""A service sees 0, 1 and 2 and the descriptors that were declared for it, whatever init was given or has opened."""
import os

from lib import Init, check, equal, free_port, open_files, tool

M = tool("misbehave")
PORT = free_port()
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:{free_port()}
[service:piped]
command = {M} identity {{dir}}/piped notify READY=1 forever
readiness_probe = notify
[service:declared]
command = {M} identity {{dir}}/declared ready-fd 7 forever
readiness_probe = fd:7
[service:to-file]
command = {M} identity {{dir}}/to-file forever
log = file:{{dir}}/log
[service:inherits]
command = {M} identity {{dir}}/inherits forever
log = inherit
depends_on = piped, declared, probed
[service:probed]
command = {M} http {PORT} {{dir}}/none forever
readiness_probe = http://127.0.0.1:{PORT}/
pre_start = {M} identity {{dir}}/hook
liveness_probe = exec:{M} identity {{dir}}/probe
[service:later]
command = {M} identity {{dir}}/later forever
depends_on = inherits
"""

# descriptors that a careless runtime leaves open, a directory among them
left_open = [os.open("/", os.O_RDONLY | os.O_DIRECTORY), os.open("/dev/null", os.O_RDWR)]
left_open += [os.dup2(left_open[0], fd) for fd in (7, 50, 199)]

with Init(config=CONFIG, fds=left_open) as init:
    for name, extra in (("piped", []), ("declared", ["7"]), ("to-file", []), ("inherits", []), ("hook", []),
                        ("probe", []), ("later", [])):
        seen = init.json(name)
        equal(sorted(seen["fds"]), sorted(["0", "1", "2"] + extra), f"descriptors of {name}")
        equal(seen["fds"]["0"], "/dev/null", f"standard input of {name}")
        check(seen["cwd"].startswith("/"), f"working directory of {name}: {seen['cwd']}")
    init.wait_line("all ready after")
    # nor does init keep what it was given
    open_in_init = open_files(init.pid)
    check("/" not in open_in_init.values(), f"init keeps the directory: {open_in_init}")
