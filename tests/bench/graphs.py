# SPDX-License-Identifier: MIT
"""The graphs of services that the benchmark starts: the same ones on every machine (fixed seeds).

graphs.py            lists them
graphs.py NAME       prints one as JSON (name, delay in milliseconds, dependencies)
"""
import dataclasses
import json
import random
import sys

LAYERED_SEED = 150  # critical path 2.1 s
RANDOM_SEED = 21  # depth 29


@dataclasses.dataclass
class Service:
    number: int
    name: str
    delay: int  # milliseconds until it is ready
    deps: list  # numbers of services before this one


def pick(rng, low, high):
    """A whole number; only random() promises the same numbers in every version of Python."""
    return low + int(rng.random() * (high - low + 1))


def pick_deps(rng, numbers, count):
    """Up to `count` different ones of `numbers`."""
    if not numbers:
        return []
    return sorted({numbers[pick(rng, 0, len(numbers) - 1)] for _ in range(count)})


def layered84():
    """84 services in 8 layers, as in the systems that muster replaces."""
    rng = random.Random(LAYERED_SEED)
    services, above = [], []
    for size in (6, 10, 14, 14, 12, 12, 9, 7):
        layer = range(len(services), len(services) + size)
        for number in layer:
            deps = pick_deps(rng, above, pick(rng, 1, 2))
            services.append(Service(number, f"agent-{number}", pick(rng, 50, 400), deps))
        above = layer
    return services


def chain50():
    """50 services, each needs the one before it."""
    return [Service(n, f"link-{n}", 20, [n - 1] if n else []) for n in range(50)]


def wide200():
    """200 services that need nothing."""
    rng = random.Random(200)
    return [Service(n, f"leaf-{n}", pick(rng, 20, 400), []) for n in range(200)]


def random1000():
    """1,000 services with up to three dependencies among those not far before them."""
    rng = random.Random(RANDOM_SEED)
    services = []
    for number in range(1000):
        deps = pick_deps(rng, range(max(0, number - 200), number), pick(rng, 0, 3))
        services.append(Service(number, f"node-{number}", pick(rng, 10, 100), deps))
    return services


def flat(count, delay=0):
    """So many services that need nothing and are ready at once."""
    return [Service(n, f"unit-{n}", delay, []) for n in range(count)]


def zero1000():
    """1,000 services that need nothing and are ready at once."""
    return flat(1000)


GRAPHS = {f.__name__: f for f in (layered84, chain50, wide200, random1000, zero1000)}


def critical_path(services):
    """Milliseconds that the longest chain of delays takes: no scheduler can be faster."""
    ends = []
    for service in services:
        ends.append(max((ends[d] for d in service.deps), default=0) + service.delay)
    return max(ends)


def depth(services):
    """How many services are on the longest chain."""
    depths = []
    for service in services:
        depths.append(1 + max((depths[d] for d in service.deps), default=0))
    return max(depths)


def describe(name):
    services = GRAPHS[name]()
    edges = sum(len(s.deps) for s in services)
    return (f"{name}: {len(services)} services, {edges} dependencies, depth {depth(services)}, "
            f"critical path {critical_path(services)} ms, "
            f"one by one {sum(s.delay for s in services)} ms")


def main():
    if len(sys.argv) == 1:
        for name in GRAPHS:
            print(describe(name))
    elif sys.argv[1] in GRAPHS:
        rows = [dataclasses.asdict(s) for s in GRAPHS[sys.argv[1]]()]
        json.dump(rows, sys.stdout, indent=1)
        print()
    else:
        sys.exit(f"graphs.py: no such graph: '{sys.argv[1]}' (there are {', '.join(GRAPHS)})")


if __name__ == "__main__":
    main()
