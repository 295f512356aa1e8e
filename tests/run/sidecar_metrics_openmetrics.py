# SPDX-License-Identifier: MIT
"""OpenMetrics as /metrics has it is what the strict parser of python3-prometheus-client takes, and it finds
in it what our own reader does."""

from lib import check, equal
from sidecarlib import AUTO, ESSENTIAL, OK, WANTED, Page, Sidecar, Target, answering
from sidecarlib.metrics import ACCEPT, OPEN, read, strict_parser


def parsed(parse, text):
    found = {}
    for family in parse(text):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.items())] = sample.value
    return found


def ours(text):
    unescape = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

    def plain(value):
        out, rest = "", value
        while rest:
            part = unescape.get(rest[:2], rest[:1])
            out, rest = out + part, rest[2 if rest[:2] in unescape else 1:]
        return out

    return {(name, frozenset((key, plain(value)) for key, value in labels)): number
            for family in read(text, True) for (name, labels), number in family.samples.items()}


def same(one, other):
    equal(set(one), set(other), "series")
    for key, value in one.items():
        check(value == other[key] or value != value and other[key] != other[key], f"{key}: {value}, {other[key]}")


def main():
    parse = strict_parser()
    with Sidecar() as sidecar, Target(answering(OK)) as target:
        def look():
            answer = sidecar.get("/metrics", Accept=ACCEPT)
            equal(answer.headers["Content-Type"], OPEN, "type")
            same(parsed(parse, answer.text), ours(answer.text))
            return {family.name: family.type for family in parse(answer.text)}

        kinds = look()
        equal(kinds["muster_build"], "info", "without a page")
        page = Page(sidecar.run_dir, [{"name": "web"}, {"name": 'o"d\\d\n{x}', "state": "failed"},
                                      {"name": "off", "state": "inactive", "flags": ESSENTIAL | AUTO},
                                      {"name": "job", "state": "completed", "flags": WANTED}])
        sidecar.watch(1, f"http://127.0.0.1:{target.port}/", service=0, period=60000)
        sidecar.watch(2, f"http://127.0.0.1:{target.port}/", service=0, period=60000, role="startup")
        check(sidecar.result()["ok"] and sidecar.result()["ok"], "probes")
        for phase in ("starting", "ready", "degraded", "stopping"):
            page.set_phase(phase)
            kinds = look()
        equal([kinds[name] for name in ("muster_service_state", "muster_probe_duration_seconds", "muster_probes")],
              ["stateset", "histogram", "counter"], "types")


main()
