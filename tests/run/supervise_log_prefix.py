# SPDX-License-Identifier: MIT
"""log = prefix: every line with its service's name, each stream on its own; long and unfinished lines lose nothing."""
from lib import Init, check, equal, tool

M = tool("misbehave")
LONG = 40000
CONFIG = f"""
[service:web]
command = {M} print one print "" print "  indented" error problem await {{dir}}/go exit 0
[service:long-name]
command = sh -c 'head -c {LONG} /dev/zero | tr "\\\\0" x; echo; printf "crlf\\\\r\\\\n"; printf "no newline"'
type = oneshot
[service:pieces]
command = sh -c 'printf "first "; {M} sleep 30; printf "second "; {M} sleep 30; echo third'
type = oneshot
[service:crash]
command = sh -c 'printf "last words" >&2; kill -KILL $$$$'
restart = no
essential = no
[service:after]
command = {M} print after
depends_on = long-name, pieces
""".replace("$$$$", "$$")

with Init(config=CONFIG) as init:
    init.wait_line(r"^after     \| after$", "stdout")
    init.wait_line(r"^web       \|   indented$", "stdout")
    lines = init.stdout.splitlines()
    for line in ("web       | one", "web       | ", "web       |   indented", "long-name | crlf",
                 "long-name | no newline", "pieces    | first second third"):
        equal(lines.count(line), 1, f"lines {line!r}")
    init.wait_line(r"^web       \| problem$")
    init.wait_line(r"^crash     \| last words$")
    check("problem" not in init.stdout, "stderr of a service on stdout")
    long = [line.removeprefix("long-name | ") for line in lines if "xxx" in line]
    check(all(set(piece) == {"x"} for piece in long), "pieces of a long line")
    equal(sum(map(len, long)), LONG, "bytes of a long line")
    check(len(long) > 1, "a line longer than 16 KiB comes in pieces")
    # a last line without a newline is seen when its service ends, before what comes of that
    equal(lines.index("long-name | no newline") < lines.index("after     | after"), True, "order")
    init.write("go", "")
    equal(init.wait(), 0, "exit code")
