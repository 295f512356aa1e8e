# SPDX-License-Identifier: MIT
"""/metrics in both formats: a reader that takes nothing but what the formats allow, with the rules that
promtool and the parser of python3-prometheus-client do not check."""

import re
import sys

from lib import check, equal, skip

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
# what Prometheus 2.42 sends
ACCEPT = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?|NaN|[+-]Inf")
# what may follow the family's name, and the type in text 0.0.4
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "stateset": ("",), "info": ("_info",),
            "histogram": ("_bucket", "_count", "_sum")}


def strict_parser():
    """The function text -> families of python3-prometheus-client, or the test is skipped."""
    sys.path.append("/usr/lib/python3/dist-packages")
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        skip("python3-prometheus-client is not installed")
    return text_string_to_metric_families


class Family:
    def __init__(self, name, kind):
        self.name, self.kind, self.unit, self.help = name, kind, "", None
        self.samples = {}  # (name, frozenset of labels): value

    def add(self, line, open_format):
        match = SAMPLE.fullmatch(line)
        check(match, f"not a sample: {line}")
        check(NUMBER.fullmatch(match.group(3)), f"not a number: {line}")
        labels = LABEL.findall(match.group(2) or "")
        equal(len(labels), len({name for name, _ in labels}), f"labels of {line}")
        key = match.group(1), frozenset(labels)
        check(key not in self.samples, f"twice: {line}")
        suffixes = SUFFIXES[self.kind] if open_format or self.kind == "histogram" else ("",)
        check(key[0] in [self.name + suffix for suffix in suffixes], f"not of {self.name}: {line}")
        self.samples[key] = float(match.group(3))

    def groups(self, label, suffix=""):
        """{other labels: {value of this one: number}}"""
        found = {}
        for (name, labels), value in self.samples.items():
            if name == self.name + suffix:
                rest = {key: text for key, text in labels if key != label}
                found.setdefault(frozenset(rest.items()), {})[dict(labels).get(label)] = value
        return found

    def check_states(self):
        for rest, states in self.groups(self.name).items():
            check(None not in states, f"{self.name}: without the label")
            equal(sorted(states.values()), [0] * (len(states) - 1) + [1], f"{self.name} {set(rest)}")

    def check_buckets(self):
        counts, sums = self.groups("le", "_count"), self.groups("le", "_sum")
        equal(set(counts), set(sums), f"{self.name}: counts and sums")
        buckets = self.groups("le", "_bucket")
        equal(set(counts), set(buckets), f"{self.name}: counts and buckets")
        for rest, row in buckets.items():
            bounds = list(row)
            equal(bounds[-1], "+Inf", "the last bucket")
            check(all(re.fullmatch(r"\d+\.\d+", bound) for bound in bounds[:-1]), f"bounds {bounds}")
            equal(bounds, sorted(bounds, key=float), "order of buckets")
            equal(list(row.values()), sorted(row.values()), "buckets are sums")
            equal(row["+Inf"], counts[rest][None], "+Inf")

    def check_whole(self, states):
        check(self.samples, f"{self.name}: no sample")
        check(self.help and self.help.endswith("."), f"{self.name}: help")
        check(not self.unit or self.name.endswith("_" + self.unit), f"{self.name}: unit {self.unit}")
        if self.kind == "counter":
            check(all(value >= 0 for value in self.samples.values()), f"{self.name}: below 0, or NaN")
        if self.kind == "histogram":
            self.check_buckets()
        if self.kind == "stateset" or self.name in states:
            self.check_states()


STATES = ("muster_phase", "muster_service_state")


def read(text, open_format):
    """[Family] in their order. Fails on anything that the format does not allow."""
    check(text.endswith("\n") and "\r" not in text and "\n\n" not in text, "ends of lines")
    lines = text.split("\n")[:-1]
    if open_format:
        equal(lines.pop(), "# EOF", "the last line")
    found, order = [], ("TYPE", "UNIT", "HELP") if open_format else ("HELP", "TYPE")
    head = []  # of the lines about the family that is being read
    for line in lines:
        if not line.startswith("#"):
            found[-1].add(line, open_format)
            head = []
            continue
        match = re.fullmatch(r"# (TYPE|HELP|UNIT) ([a-z_]+) (.+)", line)
        check(match, f"a comment: {line}")
        word, name, rest = match.groups()
        if not head:
            found.append(Family(name, None))
        equal(name, found[-1].name, f"family of {line}")
        head.append(word)
        setattr(found[-1], {"TYPE": "kind", "UNIT": "unit", "HELP": "help"}[word], rest)
        equal([one for one in order if one in head], head, f"order at {line}")
    for family in found:
        check(family.kind in SUFFIXES and (open_format or family.kind in ("counter", "gauge", "histogram")),
              f"{family.name}: type {family.kind}")
        family.check_whole(STATES)
    names = [family.name for family in found]
    equal(sorted(set(names)), sorted(names), "families, each once")
    return found


def samples(families):
    return {key: value for family in families for key, value in family.samples.items()}


def scrape(sidecar, open_format=False):
    """Reads /metrics: {(name, frozenset of labels): value}"""
    answer = sidecar.get("/metrics", Accept=ACCEPT if open_format else "*/*")
    equal((answer.status, answer.headers["Content-Type"]), (200, OPEN if open_format else TEXT), "format")
    return samples(read(answer.text, open_format))


def value(found, name, /, **labels):
    key = name, frozenset(labels.items())
    check(key in found, f"there is no {name}{labels}")
    return found[key]
