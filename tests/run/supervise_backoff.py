# SPDX-License-Identifier: MIT
"""The delay before a restart doubles up to its limit, with jitter, and is forgotten once the service stays up."""
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
    """Seconds from each end to the next start."""
    found = []
    for _ in range(count):
        begin = events.until(name, "backoff")["seconds"]
        found.append(events.until(name, "running")["seconds"] - begin)
    return found


with Init(config=CONFIG) as init:
    init.wait_state("web", "running")
    with init.events() as events:
        init.write("go", "")
        measured = delays(events, "web", 6)
    # at least what was asked for; a busy machine may take longer, but never by a doubling each time
    for expected, seconds in zip((0.04, 0.08, 0.16, 0.16, 0.16, 0.16), measured):
        check(seconds >= expected, f"delays {measured}: {seconds} is less than {expected}")
    check(min(measured[2:]) < 0.3, f"delays {measured}: the limit is 0.16 and a tenth of it")
    check(len({round(seconds, 6) for seconds in measured[2:]}) > 1, f"delays {measured}: no jitter")
    init.wait_line(r"web: exited with code 1; starting again in (4\d|39|40)ms")
    init.wait_line(r"web: exited with code 1; starting again in 1[67]\dms")
    (init.dir / "go").unlink()
    init.wait_state("web", "running")

    # up for longer than the longest delay each time: the delay stays the shortest
    init.write("stay", "")
    with init.events() as events:
        init.ctl("start", "stable")
        delays(events, "stable", 3)
    lines = [line for line in init.stderr.splitlines() if "stable: exited" in line]
    check(all(line.endswith(("40ms", "41ms", "42ms", "43ms", "44ms")) for line in lines), f"delays: {lines}")
