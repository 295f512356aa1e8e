# SPDX-License-Identifier: MIT
"""docs/musterctl-json.md has, for each verb of musterctl that prints JSON, the fields that its source prints, and no
others."""
import re

from lib import ROOT, check, equal

TEXT = (ROOT / "docs/musterctl-json.md").read_text()
# where a verb's fields are put that are not in files of its own name
ELSEWHERE = {"events": "init/ctl/stream.c", "resolve": "common/explain.c"}
PUT = r"\bjson_[a-z_]+\(\s*[^,()\"]*,\s*\"([a-z_]+)\""


def fields(verb):
    paths = [ROOT / ELSEWHERE[verb]] if verb in ELSEWHERE else sorted((ROOT / "init/ctl").glob(f"{verb}*.c"))
    return {name for path in paths for name in re.findall(PUT, path.read_text())}


printing = {verb for verb, call in re.findall(r"\{\"(\w+)\", verb_\w+, [^}]*?\"[^\"]*(--json|\|json)", (ROOT / "init/ctl/main.c").read_text())}
sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
equal(sorted(sections), sorted(printing), "verbs that print JSON")
for verb, text in sections.items():
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| `"))
    told, put = set(re.findall(r"`([a-z_]+)`", rows)), fields(verb)
    check(len(put) > 3, f"fields in the source of {verb}: {put}")
    equal(sorted(told), sorted(put), f"fields of {verb}")
