# SPDX-License-Identifier: MIT
"""The delay before a restart doubles up to its limit, with jitter, and is forgotten once the service stays up."""
import re

from lib import Init, check, tool

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} await {{dir}}/go exit 1
restart_backoff = 40ms..160ms
restart_limit = unlimited
[service:stable]
command = {M} sleep 200 await {{dir}}/stay exit 1
start = manual
restart_backoff = 40ms..160ms
restart_limit = unlimited
"""


def delays(events, name, count):
    """(seconds up, where that was seen, seconds from the end to the next start) of each restart."""
    found = []
    start = None
    for _ in range(count):
        end = events.until(name, "backoff")["seconds"]
        up = end - start if start else 0
        start = events.until(name, "running")["seconds"]
        found.append((up, start - end))
    return found


with Init(config=CONFIG) as init:
    init.wait_state("web", "running")
    with init.events() as events:
        init.write("go", "")
        measured = delays(events, "web", 6)
    # at least what was asked for; a busy machine may take longer, or so long to end that it is forgotten
    expected = 0.04
    for up, seconds in measured:
        expected = 0.04 if up > 0.15 else expected
        check(seconds >= expected, f"delays {measured}: {seconds} is less than {expected}")
        expected = min(expected * 2, 0.16)
    check(len({round(seconds, 6) for _, seconds in measured[2:]}) > 1, f"delays {measured}: no jitter")
    init.wait_line(r"web: exited with code 1; starting again in (4\d|39|40)ms")
    init.wait_line(r"web: exited with code 1; starting again in 1[67]\dms")
    said = list(map(int, re.findall(r"web: exited with code 1; starting again in (\d+)ms", init.stderr)))
    check(max(said) < 180, f"delays {said}: the limit is 160 ms and a tenth of it")
    (init.dir / "go").unlink()
    init.wait_state("web", "running")

    # up for longer than the longest delay each time: the delay stays the shortest
    init.write("stay", "")
    with init.events() as events:
        init.ctl("start", "stable")
        delays(events, "stable", 3)
    lines = [line for line in init.stderr.splitlines() if "stable: exited" in line]
    check(all(line.endswith(("40ms", "41ms", "42ms", "43ms", "44ms")) for line in lines), f"delays: {lines}")
