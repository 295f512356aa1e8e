# SPDX-License-Identifier: MIT
"""A service with readiness_probe = log:REGEX is ready when a whole line of its output matches, on either stream."""
from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:out]
command = {M} print "not ready to accept" print starting await {{dir}}/go print "ready to accept connections" forever
readiness_probe = log:^ready to accept
[service:err]
command = {M} error "Listening on port 8080" forever
readiness_probe = log:port [0-9]+$$
[service:json]
command = {M} print "up and running" forever
readiness_probe = log:up (and|or) running
log = json
[service:other]
command = {M} await {{dir}}/go print "ready to accept connections" forever
readiness_probe = log:never said
[service:quiet]
command = {M} print "I am up" forever
readiness_probe = log:am up
log = none
"""

with Init(config=CONFIG) as init:
    init.wait_state("err", "ready")
    init.wait_state("json", "ready")
    init.wait_line(r"out   \| starting", "stdout")
    equal(init.services()["out"]["state"], "starting", "before it said so")
    init.write("go", "")
    init.wait_state("out", "ready")
    equal(init.services()["other"]["state"], "starting", "what another service said does not count")
    init.wait_state("quiet", "ready")
    equal("I am up" in init.stdout, False, "output of log = none")
    init.wait_line(r"^out   \| ready to accept connections$", "stdout")
