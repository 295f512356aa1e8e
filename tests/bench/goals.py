# SPDX-License-Identifier: MIT
"""What is promised of the figures, and whether it is kept."""
import dataclasses
import typing

PEERS = ("tini", "tini-static", "dumb-init", "catatonit", "dinit", "s6", "runit", "supervisord",
         "nginx", "haproxy")
MET, MISSED, NOT_MEASURED = "met", "**missed**", "not measured here"
BEYOND = "missed, by the floor too"  # the machine, or its load, does not allow it


@dataclasses.dataclass
class Goal:
    """One figure of the list: values by contestant come from one measurement's data."""

    figure: str
    bench: str
    values: typing.Callable  # data -> {contestant: number}
    limit: float
    who: str = "muster"  # the build that the goal is for
    floor: str = "ref-event"
    unit: str = ""
    digits: int = 1
    at_least: bool = False

    def text(self, value):
        return f"{value:.{self.digits}f}{self.unit}"

    def met(self, value):
        value = round(value, self.digits)
        return value >= self.limit if self.at_least else value <= self.limit


def of_rows(*path):
    """A function that takes rows[contestant][path...] out of a measurement's data."""
    def take(data):
        found = {}
        for name, row in data["rows"].items():
            for key in path:
                row = row.get(key) if row else None
            if row is not None:
                found[name] = row
        return found
    return take


def to_critical_path(data):
    return {n: r["ms"]["median"] / data["critical"] for n, r in data["rows"].items()}


def to_floor(data):
    floor = data["rows"]["ref-event"]["ms"]["median"]
    return {n: r["ms"]["median"] / floor for n, r in data["rows"].items()}


GOALS = [
    Goal("84 services in 8 layers: all ready / critical path", "start=layered84",
         to_critical_path, 1.006, digits=3),
    Goal("1,000 services, random graph: all ready / critical path", "start=random1000",
         to_critical_path, 1.02, digits=3),
    Goal("1,000 services that are ready at once: all ready / floor", "start=zero1000",
         to_floor, 1.4, digits=2),
    Goal("reference stack, 84 services on two hosts: all ready / critical path", "reference",
         to_critical_path, 1.1, digits=3),
    Goal("wrapping `true`, one CPU: added time", "wrap", of_rows("added_us", "median"), 200,
         who="muster-musl", floor="ref-init", unit=" µs", digits=0),
    Goal("wrapping `sleep`: RSS", "memory-wrap", of_rows("rss", "median"), 200,
         who="muster-musl", floor="ref-init", unit=" kB", digits=0),
    Goal("wrapping `sleep`: dirty", "memory-wrap", of_rows("dirty", "median"), 24,
         who="muster-musl", floor="ref-init", unit=" kB", digits=0),
    Goal("wrapping `sleep`: RSS", "memory-wrap", of_rows("rss", "median"), 800,
         who="muster-static", floor="ref-init", unit=" kB", digits=0),
    Goal("signal forwarding, not pinned: median", "signal",
         lambda data: {n: r["us"]["median"] for n, r in data["unpinned"].items()}, 17,
         floor="ref-init", unit=" µs"),
    Goal("signals lost on the way, of all that were sent", "signal",
         lambda data: {n: sum(data[mode][n]["lost"] for mode in data) for n in data["pinned"]},
         0, floor="ref-init", digits=0),
    Goal("supervising 1,000 services: RSS", "memory-supervise", of_rows("at", "1000", "rss"),
         1536, unit=" kB", digits=0),
    Goal("supervising 1,000 services: RSS", "memory-supervise", of_rows("at", "1000", "rss"),
         1536, who="muster-musl", unit=" kB", digits=0),
    Goal("supervising: dirty for each further service", "memory-supervise",
         of_rows("marginal_kb"), 1, unit=" kB", digits=2),
    Goal("idle, 100 services: wake-ups a minute", "idle", of_rows("per_minute"), 0, digits=0),
    Goal("40 services, 20 of which compute: `auto` / best of all limits", "adaptive",
         of_rows("of_best"), 1.05, who="auto", floor="", digits=2),
    Goal("crash to running again, no backoff", "restart", of_rows("ms", "median"), 0.7,
         unit=" ms", digits=2),
    Goal("a fully confined service: added to its start", "confine", of_rows("added_ms"), 2,
         who="all", floor="", unit=" ms", digits=2),
    Goal("stopping 100 services that obey", "stop", of_rows("ms", "median"), 9, unit=" ms"),
    Goal("one answer of an address book of 1,000", "resolve",
         lambda data: {"muster": data["rows"]["1000 addresses"]["ns"]["median"]}, 1000,
         floor="", unit=" ns", digits=0),
    Goal("`/livez` over keep-alive / nginx `return 200`", "http",
         of_rows("of_nginx", "median"), 1.0, who="/livez", floor="", digits=2, at_least=True),
    Goal("`/readyz` over keep-alive / nginx `return 200`", "http",
         of_rows("of_nginx", "median"), 1.0, who="/readyz", floor="", digits=2, at_least=True),
    Goal("`/livez` at half load, 99th percentile", "http",
         of_rows("p99_us", "median"), 1000, who="/livez", floor="", unit=" µs", digits=0),
    Goal("`/readyz` at half load, 99th percentile", "http",
         of_rows("p99_us", "median"), 1000, who="/readyz", floor="", unit=" µs", digits=0),
    Goal("`/metrics` with 84 services / prometheus-node-exporter", "metrics",
         of_rows("of_node_exporter", "median"), 50, who="muster-sidecar", floor="", at_least=True),
    Goal("the sidecar of 84 services: memory that is nobody else's", "sidecar",
         of_rows("idle", "private"), 5120, who="muster-sidecar", floor="", unit=" kB", digits=0),
    Goal("84 checks every 10 s: processor time of the sidecar", "sidecar",
         of_rows("cpu_percent"), 0.2, who="muster-sidecar", floor="", unit=" %", digits=2),
    Goal("DNS answers a second, one processor / dnsmasq", "dns", of_rows("of_dnsmasq", "median"), 1.0,
         who="muster-sidecar", floor="", digits=2, at_least=True),
    Goal("DNS: processor time of an answer (10 µs: 100,000 a second)", "dns",
         of_rows("cpu_us", "median"), 10, who="muster-sidecar", floor="", unit=" µs"),
    Goal("connections passed on, bulk / direct", "forward", of_rows("of_direct", "median"), 0.9,
         who="muster-sidecar", floor="", digits=2, at_least=True),
    Goal("connections passed on: added to a round trip", "forward",
         of_rows("added_us", "median"), 50, who="muster-sidecar", floor="", unit=" µs"),
]


def beside(goal, values, name):
    """A contestant's value, and what it is in floors."""
    if name not in values:
        return "-"
    text = goal.text(values[name])
    floor = values.get(goal.floor)
    return f"{text} (x{values[name] / floor:.2f})" if floor and name != goal.floor else text


def verdict(goal, values):
    if goal.who not in values:
        return NOT_MEASURED
    if goal.met(values[goal.who]):
        return MET
    return BEYOND if goal.floor in values and not goal.met(values[goal.floor]) else MISSED


def goal_row(goal, results):
    limit = f"{'≥ ' if goal.at_least else '≤ ' if goal.limit else ''}{goal.limit:g}{goal.unit}"
    values = goal.values(results[goal.bench]["data"]) if goal.bench in results else {}
    peers = {name: values[name] for name in PEERS if name in values}
    best = (max if goal.at_least else min)(peers, key=peers.get) if peers else None
    return [goal.figure, limit, goal.who, beside(goal, values, goal.who), verdict(goal, values),
            beside(goal, values, goal.floor),
            f"{best} {beside(goal, values, best)}" if best else "-"]


def summary(results):
    """What the table of goals says in one line."""
    verdicts = [goal_row(goal, results)[4] for goal in GOALS]
    counts = [f"{verdicts.count(one)} {one.strip('*')}"
              for one in (MET, MISSED, BEYOND, NOT_MEASURED) if one in verdicts]
    return f"{len(verdicts)} goals: {', '.join(counts)}."


HEADER = ["figure", "goal", "build", "muster (x floor)", "goal is", "floor", "best peer"]


def table(results):
    """(header, rows)"""
    return HEADER, [goal_row(goal, results) for goal in GOALS]
