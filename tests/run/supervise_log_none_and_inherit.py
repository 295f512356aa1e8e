# SPDX-License-Identifier: MIT
"""log = none: nowhere; log = inherit: the very descriptors of muster-init, untouched."""
import fcntl
import os

from lib import Init, check, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:silent]
command = {M} print "not to be seen" error "nor this" identity {{dir}}/silent forever
log = none
[service:direct]
command = {M} print direct error direct-error identity {{dir}}/direct forever
log = inherit
"""

with Init(config=CONFIG) as init:
    silent, direct = init.json("silent"), init.json("direct")
    equal([silent["fds"][fd] for fd in "012"], ["/dev/null"] * 3, "descriptors with log = none")
    equal([direct["fds"][fd] for fd in "012"], ["/dev/null", init.path("stdout"), init.path("stderr")],
          "descriptors with log = inherit")
    init.wait_line("^direct$", "stdout")
    init.wait_line("^direct-error$")
    check("to be seen" not in init.stdout and "nor this" not in init.stderr, "output of log = none")

# a pipe that it inherits stays in blocking mode, as the service expects it
reader, writer = os.pipe()
with Init(config=CONFIG, stdout=writer) as init:
    init.json("direct")
    until(lambda: init.stderr.count("direct-error"), "a line")
    equal(fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK, 0, "O_NONBLOCK on the pipe")
    equal(os.read(reader, 100), b"direct\n", "what came through")
