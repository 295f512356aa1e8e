# SPDX-License-Identifier: MIT
"""The Grafana dashboard that is shipped is one that Grafana can show: panels that do not lie upon each other, each with
a unit, a legend and a query that Prometheus understands, about metrics and labels that there are."""

import json
import pathlib
import re
import subprocess
import tempfile

from lib import ROOT, check, contains, equal, need

DASHBOARD = ROOT / "compose/grafana/muster.json"
SECTIONS = ["Hosts", "Services", "Start-up", "Probes", "Processes of services", "Container", "GPUs", "Peers",
            "The sidecar itself"]
KINDS = {"row", "stat", "timeseries", "table", "bargauge", "state-timeline"}
UNITS = {"none", "s", "bytes", "Bps", "ops", "reqps", "percentunit", "celsius", "watt"}
BUILT_IN = {"__rate_interval": "1m"}
GIVEN = {"instance", "job"}  # by Prometheus


def families():
    """Of each name that a series may have, its labels."""
    found = {}
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| \w* ?\| ([\w, ]*?) ?\|", (ROOT / "docs/metrics.md").read_text(), re.M):
        names = [f"{name}_{part}" for part in ("bucket", "sum", "count")] if kind == "histogram" else [name]
        found.update((each, GIVEN | set(labels.replace(" ", "").split(",")) - {""}) for each in names)
    return found


def check_grid(panels):
    taken = {}
    for panel in panels:
        at = panel["gridPos"]
        check(at["w"] > 0 and at["h"] > 0 and 0 <= at["x"] and at["x"] + at["w"] <= 24, f"place of {panel['title']}: {at}")
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                other = taken.setdefault((x, y), panel["title"])
                check(other is panel["title"], f"{panel['title']} lies upon {other}")
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    equal(len(taken), 24 * bottom, "places taken: there are gaps")


def check_expression(title, expression, legend, known):
    bare = re.sub(r'"[^"]*"', '""', expression)
    names = [name for name in re.findall(r"\b(?:muster|process)_\w+(?=[{\[ )]|$)", re.sub(r"\{[^}]*\}|\b(?:by|without) *\([^)]*\)", " ", bare))]
    check(names, f"{title} asks for nothing: {expression}")
    for name in names:
        check(name in known, f"{title}: {name} is not in docs/metrics.md")
    labels = set.union(*(known[name] for name in names))
    used = set(re.findall(r"[{,]\s*(\w+)\s*[=!]", bare)) | set(re.findall(r"\{\{(\w+)\}\}", legend))
    for inner in re.findall(r"\bby *\(([^)]*)\)", bare):
        used |= set(inner.replace(" ", "").split(",")) - {"le"}
        check(set(re.findall(r"\{\{(\w+)\}\}", legend)) <= set(inner.replace(" ", "").split(",")), f"{title}: its legend is summed away")
    check(used - {"le"} <= labels, f"{title}: no such labels: {sorted(used - labels)}")


def check_panel(panel, known):
    title = panel["title"]
    equal(panel["datasource"], {"type": "prometheus", "uid": "${datasource}"}, f"datasource of {title}")
    contains(UNITS, panel["fieldConfig"]["defaults"].get("unit"), f"unit of {title}")
    check(panel["description"].endswith("."), f"{title} has no description")
    references = [target["refId"] for target in panel["targets"]]
    check(references and len(references) == len(set(references)), f"queries of {title}: {references}")
    for target in panel["targets"]:
        equal(target["datasource"], panel["datasource"], f"datasource of a query of {title}")
        check(target["legendFormat"], f"{title} has no legend")
        check_expression(title, target["expr"], target["legendFormat"], known)


def filled(expression, variables):
    def value(match):
        name = match[1]
        check(name in variables or name in BUILT_IN, f"${name} is not defined")
        return BUILT_IN.get(name, ".*")

    return re.sub(r"\$(\w+)", value, expression)


def main():
    text = DASHBOARD.read_text()
    dashboard = json.loads(text)
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    equal(variables["datasource"]["type"], "datasource", "the first variable")
    panels = dashboard["panels"]
    ids = [panel["id"] for panel in panels]
    equal(len(ids), len(set(ids)), "different ids")
    check({panel["type"] for panel in panels} <= KINDS, "kinds of panels")
    equal([panel["title"] for panel in panels if panel["type"] == "row"], SECTIONS, "sections")
    check_grid(panels)
    known = families()
    shown = [panel for panel in panels if panel["type"] != "row"]
    for panel in shown:
        check_panel(panel, known)
    expressions = [filled(target["expr"], variables) for panel in shown for target in panel["targets"]]
    for variable in variables.values():
        if variable["type"] == "query":
            name = re.match(r"label_values\((\w+)", variable["definition"])[1]
            contains(known, name, f"what ${variable['name']} is taken from")
            filled(variable["definition"], variables)
    promtool = need("promtool")
    with tempfile.TemporaryDirectory(prefix="muster-test-") as folder:
        path = pathlib.Path(folder) / "rules.yml"  # JSON is YAML
        path.write_text(json.dumps({"groups": [{"name": "panels", "rules": [
            {"record": f"panel:number{i}", "expr": expression} for i, expression in enumerate(expressions)]}]}))
        result = subprocess.run([promtool, "check", "rules", path], capture_output=True, text=True, check=False)
        equal(result.returncode, 0, f"promtool: {result.stdout}{result.stderr}")
        contains(result.stdout, f"{len(expressions)} rules found", "promtool")


main()
