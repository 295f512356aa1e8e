# SPDX-License-Identifier: MIT
"""What a service left behind, double fork and setsid included, has ended before its next start; others are not touched."""
from lib import Init, equal, tool, until

M = tool("misbehave")
TIDY = "on TERM [ append {dir}/order tidy-%s exit 0 ] append {dir}/order up-%s forever"
DEAF = "ignore TERM append {dir}/order up-%s forever"
CONFIG = f"""
[service:web]
command = {M} append {{dir}}/order start orphan [ {TIDY % ('a', 'a')} ] orphan [ setsid {TIDY % ('b', 'b')} ] child [ group {TIDY % ('c', 'c')} ] await {{dir}}/go exit 1
restart_backoff = 1ms..1ms
restart_limit = unlimited
[service:daemon]
command = {M} append {{dir}}/order daemon-start daemon {TIDY % ('d', 'd')}
restart = no
essential = no
start = manual
[service:deaf]
command = {M} append {{dir}}/order deaf-start orphan [ setsid {DEAF % 'e'} ] await {{dir}}/deaf exit 1
restart_backoff = 1ms..1ms
restart_limit = unlimited
stop_grace_period = 80ms
start = manual
[service:bystander]
command = {M} orphan [ setsid {TIDY % ('x', 'x')} ] forever
"""

# an environment larger than what is read of it at once
with Init(config=CONFIG, env={"A_LARGE_ONE": "x" * 100000}) as init:
    def lines():
        return init.read("order").split()

    until(lambda: {"up-a", "up-b", "up-c", "up-x"} <= set(lines()), "all are up")
    init.write("go", "")
    until(lambda: lines().count("start") >= 2, "the next start")
    (init.dir / "go").unlink()
    between = lines()[:lines().index("start", lines().index("start") + 1)]
    equal({"tidy-a", "tidy-b", "tidy-c"} <= set(between), True, f"they ended before it: {between}")
    equal("tidy-x" in lines(), False, "what another service left behind was told to end")

    # a program that goes into the background by itself has ended, for us: what it left is ended
    init.ctl("start", "--no-wait", "daemon")
    until(lambda: init.services()["daemon"]["state"] == "completed", "the daemon's first process has ended")
    equal([line for line in lines() if line.endswith("-d")] in ([], ["tidy-d"], ["up-d", "tidy-d"]), True, f"order {lines()}")

    # and killed when it does not want to
    init.ctl("start", "deaf")
    until(lambda: "up-e" in lines(), "the deaf one is up")
    init.write("deaf", "")
    until(lambda: lines().count("deaf-start") >= 2, "the next start")
    (init.dir / "deaf").unlink()
    init.wait_line("deaf: still there after 80 ms: killing it")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    equal("tidy-x" in lines(), True, "the bystander's orphan had its time at the end")
