# SPDX-License-Identifier: MIT
"""docs/benchmarks.md, from the newest result of each measurement."""
import dataclasses
import typing

import lib

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

HEAD = """# Benchmarks

What muster costs and how fast it is, beside floors of our own (the least a program can do for the
same job) and other inits, all measured in one run and in turns, so that a busy machine is busy for
everybody. `make bench` makes it again; `QUICK=1 make bench` in under two minutes; `DINIT=path`
adds a dinit. This file is written by `tests/bench/bench.py report` from the newest results.

Times come from the measured services themselves (they note when they started, were ready, were
told to stop), not from what an init believes. Numbers are medians of the rounds.

- `ref-init`: vfork, exec, a sigwaitinfo loop, static and without libc.
- `ref-event`: starts a service the instant its last dependency is ready (epoll and vfork), nothing
  else. `ref-level:10`: level by level, at most 10 at once, a barrier between levels. `ref-seq`: one
  after another.
- `muster`: the default build. `muster-static`: `STATIC=1`. `muster-musl`: `STATIC=musl`.
  `start_parallel = unlimited`, except for `muster-auto`, which has the default; and without the
  filter of system calls that services get by default, as no other init sets one, except for
  `muster-confined`.
- Peers are Debian's packages; what is not there is skipped and says so.
- Supervisors run as PID 1 of a PID namespace of their own and, where that is allowed, in a cpu
  cgroup of their own, as in a container. Without one the kernel's autogroups give each session its
  own share of the processors, and on a busy machine every init that puts services into sessions
  (muster, dinit) waits for them.
- It is best run on a quiet machine: on a busy one even the floor has taken five times as long.
"""


def cell(text):
    return str(text).replace("|", "\\|")


def markdown_table(header, rows):
    lines = ["| " + " | ".join(map(cell, header)) + " |",
             "|---|" + "---:|" * (len(header) - 1)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines)


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


def machine_line(entry):
    m = entry["machine"]
    return f"{m['cpus']} CPUs ({m['model']}), {m['kernel']}, {m['cgroup']}"


def section(name, entry):
    kind = "quick run, few rounds" if entry["quick"] else "full run"
    lines = [f"## `bench.py {name}`", "",
             f"{entry['date']}, {kind}, {machine_line(entry)}, load average {entry['load']:.1f}."]
    for shown in entry["tables"]:
        lines += ["", shown["title"] + ":", "", markdown_table(shown["header"], shown["rows"])]
    return "\n".join(lines)


def summary(results):
    """What the table of goals says in one line."""
    verdicts = [goal_row(goal, results)[4] for goal in GOALS]
    counts = [f"{verdicts.count(one)} {one.strip('*')}"
              for one in (MET, MISSED, BEYOND, NOT_MEASURED) if one in verdicts]
    return f"{len(verdicts)} goals: {', '.join(counts)}."


def write(path):
    results = lib.newest()
    if not results:
        raise SystemExit("bench: there are no results yet: run `bench.py all` first")
    latest = max(results.values(), key=lambda entry: entry["date"])
    goals = markdown_table(["figure", "goal", "build", "muster (x floor)", "goal is", "floor",
                            "best peer"], [goal_row(goal, results) for goal in GOALS])
    parts = [HEAD, f"## Goals\n\n{latest['date']}, {machine_line(latest)}. {summary(results)}\n",
             goals, ""]
    for name, entry in results.items():
        parts += [section(name.replace("memory-wrap", "memory").replace("memory-supervise",
                                                                        "memory"), entry), ""]
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(parts).rstrip() + "\n")
    lib.say(f"wrote {path}\n{summary(results)}")
