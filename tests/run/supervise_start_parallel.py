# SPDX-License-Identifier: MIT
"""start_parallel limits how many services start at a time; the longest way to go comes first."""
from lib import Init, check, equal, tool, until

M = tool("misbehave")


def service(name, needs=""):
    return f"""
[service:{name}]
command = {M} append {{dir}}/order {name} await {{dir}}/{name} notify READY=1 forever
readiness_probe = notify
depends_on = {needs}
"""


# in the file the chain comes last
CONFIG = "[muster]\nstart_parallel = 2\n" + "".join(
    [service("a"), service("b"), service("chain1"), service("chain2", "chain1"), service("chain3", "chain2")])

with Init(config=CONFIG) as init:
    def started():
        return init.read("order").split()

    def counts():
        states = [service["state"] for service in init.services().values()]
        return states.count("starting"), states.count("waiting"), states.count("ready")

    def shown(expected):
        # what is started may run before init has noted it
        until(lambda: counts() == expected, lambda: f"starting, waiting, ready {expected}, not {counts()}")

    until(lambda: len(started()) == 2, "two have started")
    equal(sorted(started()), ["a", "chain1"], "the first two")
    shown((2, 3, 0))
    init.write("a", "")
    until(lambda: len(started()) == 3, "the next has started")
    equal(started()[2], "b", "the third")
    shown((2, 2, 1))
    init.write("chain1", "")
    until(lambda: len(started()) == 4, "the next has started")
    equal(started()[3], "chain2", "the fourth")
    shown((2, 1, 2))
    for name in ("b", "chain2", "chain3"):
        init.write(name, "")
        check(counts()[0] <= 2, "never more than two")
    init.wait_line("all ready after")
