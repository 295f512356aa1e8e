# SPDX-License-Identifier: MIT
"""On the way out a service is told to stop when all that depend on it are down, and no later: unrelated ones at once."""
import random
import signal

from lib import Init, check, equal, tool, until

SERVICES = 30
M = tool("misbehave")
dice = random.Random(7)
NEEDS = [sorted(dice.sample(range(i), min(i, dice.randrange(4)))) for i in range(SERVICES)]


def section(number):
    # each takes a moment to stop, and writes down when it begins and when it has ended
    stop = f"append {{dir}}/order 'stop {number}' sleep {number % 5 * 3} append {{dir}}/order 'down {number}' exit 0"
    return f"""
[service:s{number}]
command = {M} on TERM [ {stop} ] notify READY=1 forever
readiness_probe = notify
depends_on = {', '.join(f's{n}' for n in NEEDS[number])}
"""


for signo in (signal.SIGTERM, signal.SIGINT, signal.SIGRTMIN + 3):
    with Init(config="[muster]\nstop_timeout = 1m\n" + "".join(map(section, range(SERVICES)))) as init:
        init.wait_line("all ready after")
        init.signal(signo)
        equal(init.wait(), 0, "exit code")
        place = {line: i for i, line in enumerate(init.read("order").splitlines())}
        equal(len(place), 2 * SERVICES, "lines, each once")
        for service, needs in enumerate(NEEDS):
            for need in needs:
                check(place[f"down {service}"] < place[f"stop {need}"],
                      f"s{need} was told to stop before s{service} was down")
        init.wait_line("ended: signal .*; exit code 0; .* none had to be killed")

# one that is slow to stop holds up only what it needs
SLOW = f"""
[service:db]
command = {M} on TERM [ append {{dir}}/order db exit 0 ] notify READY=1 forever
readiness_probe = notify
[service:slow]
command = {M} on TERM [ append {{dir}}/order slow-told await {{dir}}/go append {{dir}}/order slow exit 0 ] notify READY=1 forever
readiness_probe = notify
depends_on = db
[service:other-db]
command = {M} on TERM [ append {{dir}}/order other-db exit 0 ] notify READY=1 forever
readiness_probe = notify
[service:other]
command = {M} on TERM [ append {{dir}}/order other exit 0 ] notify READY=1 forever
readiness_probe = notify
depends_on = other-db
"""
with Init(config=SLOW) as init:
    init.wait_line("all ready after")
    init.signal(signal.SIGTERM)
    until(lambda: {"slow-told", "other", "other-db"} <= set(init.read("order").split()), "the other chain is down")
    equal(init.services()["db"]["state"], "ready", "what the slow one needs")
    init.write("go", "")
    equal(init.wait(), 0, "exit code")
    equal(init.read("order").split()[-2:], ["slow", "db"], "the last two")
