# SPDX-License-Identifier: MIT
"""docs/benchmarks.md and its pictures are what tests/bench/bench.py makes of docs/benchmarks.jsonl, and nothing else
lies among the pictures; each is shown, and is SVG that loads nothing."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from lib import ROOT, check, equal

DOCS = ROOT / "docs"


def contents(docs):
    paths = [docs / "benchmarks.md", docs / "benchmarks.jsonl", *(docs / "benchmarks").iterdir()]
    return {str(path.relative_to(docs)): path.read_text(encoding="utf-8") for path in paths}


with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
    made = pathlib.Path(name)
    # without results of a build: those that are recorded are all there are
    subprocess.run([sys.executable, "-B", ROOT / "tests/bench/bench.py", "report", made], check=True,
                   stdout=subprocess.DEVNULL, env=os.environ | {"BUILD": str(made)})
    want, there = contents(made), contents(DOCS)
equal(sorted(there), sorted(want), "files")
for name, content in want.items():
    check(there[name] == content, f"docs/{name} is not what the data gives: tests/bench/bench.py report")

shown = re.findall(r"^!\[.+\]\((benchmarks/.+\.svg)\)$", there["benchmarks.md"], re.M)
equal(sorted(shown), sorted(name for name in there if name.endswith(".svg")), "pictures on the page")
for name in shown:
    for element in xml.etree.ElementTree.fromstring(there[name]).iter():
        check(element.tag.rpartition("}")[2] not in ("script", "image", "use", "a"), f"{name} has a {element.tag}")
    check("url(" not in there[name] and "@import" not in there[name], f"{name} loads something")
