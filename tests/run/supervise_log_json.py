# SPDX-License-Identifier: MIT
"""log = json: every line a JSON object of its own, whatever bytes it holds."""
import json

from lib import Init, equal, matches, tool

M = tool("misbehave")
CONFIG = f"""
[muster]
log = json
[service:web]
command = {M} print 'quote " backslash \\ tab\t.' error "to stderr" forever
[service:bytes]
command = printf 'bell\\007 escape\\033[0m del\\177 caf\\303\\251\\n'
type = oneshot
[service:plain]
command = {M} print plain forever
log = prefix
depends_on = bytes
"""

with Init(config=CONFIG) as init:
    init.wait_line(r"^plain +\| plain$", "stdout")
    init.wait_line('"message":"to stderr"')
    init.wait_line('"message":"quote', "stdout")
    init.wait_line('"message":"bell', "stdout")
    objects = {entry["service"]: entry for line in init.stdout.splitlines() if line.startswith("{")
               for entry in [json.loads(line)]}
    equal(set(objects), {"web", "bytes"}, "services")
    equal(set(objects["web"]), {"time", "service", "stream", "message"}, "members")
    equal((objects["web"]["stream"], objects["web"]["message"]), ("stdout", 'quote " backslash \\ tab\t.'), "line")
    equal(objects["bytes"]["message"], "bell\a escape\x1b[0m del\x7f caf\u00e9", "line of strange bytes")
    matches(objects["web"]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "time")
    error = [json.loads(line) for line in init.stderr.splitlines() if "to stderr" in line]
    equal((error[0]["stream"], error[0]["message"]), ("stderr", "to stderr"), "line on stderr")
