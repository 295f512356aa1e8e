#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The pictures of docs/benchmarks.md, from recorded results: bars and lines as SVG, readable on light and dark.

plot.py [DIRECTORY]     draws what the results have (docs/benchmarks when none is given)

Colours say who it is and nothing that is not written beside them: blue is muster, orange another program, grey a
floor of our own.
"""
import dataclasses
import html
import math
import pathlib
import sys

import lib

WIDTH, MARGIN, LABELS, ROW, BAR = 760, 16, 150, 22, 14
CHARACTER = 6.6  # width of one at 12 px, about

STYLE = """
  svg { --paper: #ffffff; --ink: #1b1f24; --faint: #59636e; --rule: #d9dee3;
        --muster: #0b62b8; --peer: #c26a00; --floor: #8c959f; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --rule: #30363d;
          --muster: #5eb1ff; --peer: #f0a13c; --floor: #7d8590; } }
  .paper { fill: var(--paper); }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
  .title { font-size: 15px; font-weight: 600; }
  .group { font-weight: 600; }
  .faint { fill: var(--faint); }
  .rule { stroke: var(--rule); stroke-width: 1; }
  .spread { stroke: var(--ink); stroke-width: 1.5; opacity: .55; }
  .line { fill: none; stroke-width: 2; }
"""


@dataclasses.dataclass
class Value:
    """One bar, or one point of a line: a median, and from where to where the rounds went."""

    who: str
    median: float
    low: float
    high: float
    kind: str

    @staticmethod
    def of(who, stat, kind=None):
        return Value(who, stat["median"], stat["min"], stat["max"], kind or kind_of(who))


def kind_of(who):
    """Which colour it has."""
    if who.startswith("ref-"):
        return "floor"
    return "muster" if who.startswith(("muster", "/")) else "peer"


def number(value):
    """Three digits, and all those before the point."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# ---- elements ----

def text(x, y, words, style="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{html.escape(words)}</text>'


def line(x1, y1, x2, y2, style):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def picture(title, subtitle, height, parts):
    said = html.escape(f"{title}. {subtitle}")
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label="{said}">',
        f"<style>{STYLE}</style>", f'<rect width="{WIDTH}" height="{height:.0f}" class="paper"/>',
        text(MARGIN, 26, title, "title"), text(MARGIN, 45, subtitle, "faint"), *parts, "</svg>"]) + "\n"


# ---- scales ----

def steps(most):
    """Round numbers from 0 to at least that, five or so."""
    step = 10 ** math.floor(math.log10(most / 4))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if most / (step * factor) <= 5)
    return [step * count for count in range(math.ceil(most / step) + 1)]


def decades(least, most):
    return [10.0 ** power for power in range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)]


class Scale:
    """From values to places on the paper."""

    def __init__(self, marks, begin, end, logarithmic=False):
        self.marks, self.begin, self.end = marks, begin, end
        self.measure = math.log10 if logarithmic else float

    def __call__(self, value):
        low, high = self.measure(self.marks[0]), self.measure(self.marks[-1])
        return self.begin + (self.end - self.begin) * (self.measure(max(value, self.marks[0])) - low) / (high - low)


# ---- bars ----

def bar(value, top, scale):
    middle, end = top + ROW / 2, scale(value.median)
    parts = [text(LABELS - 8, middle + 4, value.who, "", "end"),
             f'<rect x="{scale.begin:.1f}" y="{middle - BAR / 2:.1f}" width="{max(1, end - scale.begin):.1f}" '
             f'height="{BAR}" rx="2" fill="var(--{value.kind})"/>']
    reach = max(end, scale(value.high))
    if scale(value.high) - scale(value.low) > 3:
        parts.append(line(scale(value.low), middle, scale(value.high), middle, "spread"))
    return [*parts, text(reach + 6, middle + 4, number(value.median))]


def bars(title, subtitle, axis, groups, logarithmic=False):
    """groups: [(heading, [Value])]; axis: what the numbers are, with their unit."""
    values = [value for _, group in groups for value in group]
    most = max(max(value.high, value.median) for value in values)
    marks = decades(min(value.median for value in values), most) if logarithmic else steps(most)
    scale = Scale(marks, LABELS, WIDTH - 70, logarithmic)
    height, rows = 60, []
    for heading, group in groups:
        if heading:
            rows.append(text(MARGIN, height + 18, heading, "group"))
            height += 26
        for value in group:
            rows += bar(value, height, scale)
            height += ROW
        height += 8
    grid = [line(scale(mark), 56, scale(mark), height, "rule") for mark in marks]
    grid += [text(scale(mark), height + 16, number(mark), "faint", "middle") for mark in marks]
    name = axis + (" (logarithmic)" if logarithmic else "")
    grid.append(text((scale.begin + scale.end) / 2, height + 36, name, "faint", "middle"))
    return picture(title, subtitle, height + 50, grid + rows)


# ---- lines ----

def apart(places, distance):
    """The places, lowest first, moved so far that labels there do not touch: groups of them stay centred."""
    groups = []  # [sum of wanted middles, count]
    for place in places:
        groups.append([place, 1])
        while len(groups) > 1:
            (a, m), (b, n) = groups[-2:]
            if b / n - a / m >= distance * (m + n) / 2:
                break
            groups[-2:] = [[a + b, m + n]]
    return [total / count + distance * (index - (count - 1) / 2)
            for total, count in groups for index in range(count)]


def lines(title, subtitle, axes, series):
    """series: {who: {x: y}}; both axes are logarithmic; who it is stands at the end of each line."""
    points = [point for found in series.values() for point in found.items()]
    right = max(len(who) for who in series) * CHARACTER + 70
    across = Scale(sorted({x for x, _ in points}), 104, WIDTH - right, True)
    up = Scale(decades(min(y for _, y in points), max(y for _, y in points)), 410, 70, True)
    parts = [line(across.begin, up(mark), across.end, up(mark), "rule") for mark in up.marks]
    parts += [text(across.begin - 8, up(mark) + 4, number(mark), "faint", "end") for mark in up.marks]
    parts += [text(across(mark), up.begin + 18, number(mark), "faint", "middle") for mark in across.marks]
    parts += [text((across.begin + across.end) / 2, up.begin + 38, f"{axes[0]} (logarithmic)", "faint", "middle"),
              f'<text transform="translate({MARGIN + 4} {(up.begin + up.end) / 2:.0f}) rotate(-90)" class="faint" '
              f'text-anchor="middle">{html.escape(axes[1])} (logarithmic)</text>']
    ends = sorted(series, key=lambda who: up(series[who][max(series[who])]))
    labels = apart([up(series[who][max(series[who])]) for who in ends], 16)
    for who, place in zip(ends, labels):
        found = sorted(series[who].items())
        colour, end = f"var(--{kind_of(who)})", found[-1][1]
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in found)
        parts.append(f'<polyline points="{path}" class="line" stroke="{colour}"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3.5" fill="{colour}"/>' for x, y in found]
        parts += [line(across.end + 5, up(end), across.end + 17, place, "rule"),
                  text(across.end + 21, place + 4, f"{who}  {number(end)}")]
    return picture(title, subtitle, up.begin + 54, parts)


# ---- what is drawn ----

def all_ready(result, without=()):
    return [Value.of(who, row["ms"]) for who, row in result["data"]["rows"].items() if who not in without]


def draw_wrap(wrap):
    rows = wrap["data"]["rows"]
    return bars("What an init adds to the start and end of one program", "wrapping true, on one processor", "added time in µs",
                [("", [Value.of(who, row["added_us"]) for who, row in rows.items() if who != "bare"])])


def by_critical_path(title, what, result):
    longest = f"the longest chain of services takes {number(result['data']['critical'])} ms by itself"
    return bars(title, f"{what}; {longest}", "time in ms", [("", all_ready(result))])


def draw_start_84(layered):
    return by_critical_path("84 services in 8 layers, until all are ready", "services that only wait", layered)


def draw_reference(reference):
    return by_critical_path("Reference stack on two hosts, until all is ready", "84 services: redis, nginx, agents in Python", reference)


def draw_start_1000(random, zero):
    return bars("1,000 services, until all are ready", "in blue muster, in orange other programs, in grey floors of our own",
                "time in ms",
                [(f"with dependencies; the longest chain takes {number(random['data']['critical'])} ms by itself", all_ready(random)),
                 ("all ready at once, no dependencies", all_ready(zero))])


def draw_workers(workers):
    data = workers["data"]
    return bars("Workers, until all are ready", f"each takes {data['delay']} ms by itself; none needs another", "time in ms",
                [(f"{count} workers", [Value.of(who, row["ms"]) for who, row in rows.items()])
                 for count, rows in data["rows"].items()])


def draw_adaptive(adaptive):
    return bars("How many services start at a time", "40 services, 20 of which compute while they start; in blue what is the default",
                "until all are ready, in ms",
                [("start_parallel =", [Value.of(limit, row["ms"], "muster" if limit == "auto" else "floor")
                                       for limit, row in adaptive["data"]["rows"].items()])])


def draw_memory(memory):
    rows = memory["data"]["rows"]
    return lines("Memory of a supervisor and its own processes", "each with so many services that do nothing",
                 ("services", "resident memory in kB"),
                 {who: {int(count): kb["rss"] for count, kb in row["at"].items()} for who, row in rows.items()})


def draw_restart(restart, stop):
    return bars("A service that was killed, and a hundred that are stopped", "without any delay by configuration", "time in ms",
                [("killed, until it runs again", all_ready(restart)), ("100 services that obey, until all is over", all_ready(stop))],
                logarithmic=True)


def draw_sidecar(http, metrics, dns):
    def rates(result, names=None):
        return [Value.of((names or {}).get(who, who), row["rate"]) for who, row in result["data"]["rows"].items()]

    metrics_names = {"muster-sidecar": "/metrics"}
    return bars("What the sidecar answers", "one processor for the server, another one for who asks", "requests a second",
                [("over connections that stay open", rates(http)),
                 ("all metrics of 84 services, beside those of one host", rates(metrics, metrics_names)),
                 ("DNS over UDP", rates(dns))])


# file -> (what draws it, from which measurements); it is shown with the first of these
PICTURES = {
    "wrap.svg": (draw_wrap, ("wrap",)),
    "start-84.svg": (draw_start_84, ("start=layered84",)),
    "reference.svg": (draw_reference, ("reference",)),
    "start-1000.svg": (draw_start_1000, ("start=random1000", "start=zero1000")),
    "workers.svg": (draw_workers, ("workers",)),
    "adaptive.svg": (draw_adaptive, ("adaptive",)),
    "memory.svg": (draw_memory, ("memory-supervise",)),
    "restart.svg": (draw_restart, ("restart", "stop")),
    "sidecar.svg": (draw_sidecar, ("http", "metrics", "dns")),
}


def title_of(drawn):
    """What it shows, for who does not see it."""
    return html.unescape(drawn.partition('aria-label="')[2].partition('"')[0])


def drawn(results):
    """file -> SVG, of those for which there are results."""
    return {name: draw(*(results[each] for each in needed))
            for name, (draw, needed) in PICTURES.items() if all(each in results for each in needed)}


def write(directory, pictures):
    directory.mkdir(exist_ok=True)
    for name, content in pictures.items():
        (directory / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else lib.PICTURES, drawn(lib.newest()))
