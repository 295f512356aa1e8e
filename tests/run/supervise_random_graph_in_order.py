# SPDX-License-Identifier: MIT
"""No service of a random graph starts before all that it depends on is ready."""
import random

from lib import Init, check, equal, tool, until

SERVICES = 60
M = tool("misbehave")


def graph(seed):
    """Dependencies of each service: only on earlier ones, so that there is no cycle."""
    dice = random.Random(seed)
    return [sorted(dice.sample(range(i), min(i, dice.randrange(5)))) for i in range(SERVICES)]


def section(number, needs):
    # each writes down when it begins and, before it says so, when it is ready
    return f"""
[service:s{number}]
command = {M} append {{dir}}/order "start {number}" sleep {number % 7} append {{dir}}/order "ready {number}" ready-fd 3 forever
readiness_probe = fd:3
depends_on = {' '.join(f's{n},' for n in needs).rstrip(',')}
"""


for seed in (1, 2):
    edges = graph(seed)
    # the file has them in another order than the graph
    sections = [section(i, needs) for i, needs in enumerate(edges)]
    random.Random(seed).shuffle(sections)
    with Init(config="[muster]\nstart_parallel = unlimited\n" + "".join(sections)) as init:
        until(lambda: init.read("order").count("ready") == SERVICES, "all are ready")
        place = {line: i for i, line in enumerate(init.read("order").splitlines())}
        equal(len(place), 2 * SERVICES, "lines, each once")
        for service, needs in enumerate(edges):
            for need in needs:
                check(place[f"ready {need}"] < place[f"start {service}"],
                      f"seed {seed}: s{service} started before s{need} was ready")
        init.wait_line("all ready after")
