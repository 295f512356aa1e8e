# SPDX-License-Identifier: MIT
"""Ten pages in docs/tutorial: each is listed, is played by a test of its name, has a size to be read, leads nowhere
that is not there, and to the next one."""
import re

from lib import ROOT, check, equal
from tutoriallib import FOLDER, parse, steps

INDEX = FOLDER / "README.md"
pages = sorted(FOLDER.glob("*.md"))
names = {page.stem for page in pages if page != INDEX}
listed = re.findall(r"^\d+\. \[.*\]\((.*)\.md\)", INDEX.read_text(), re.M)
equal((len(listed), set(listed)), (10, names), "pages that are listed")
for page in pages:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        check((FOLDER / link).exists(), f"{page.name} leads to {link}, which is not there")
# "The next page" leads through all of them
path, name = [], "wrap"
while name and name not in path:
    path.append(name)
    found = re.search(r"next page: \[.*\]\((.*)\.md\)", (FOLDER / f"{name}.md").read_text())
    name = found and found[1]
equal((sorted(path), name), (sorted(names), None), f"pages that follow each other: {path}")
for name in names:
    text = (FOLDER / f"{name}.md").read_text()
    check(40 <= len(text.splitlines()) <= 120, f"{name}.md has {len(text.splitlines())} lines")
    check(sum(len(steps(block)) for file, block in parse(text) if not file) >= 4, f"{name}.md shows hardly anything")
    tests = [*ROOT.glob(f"tests/*/tutorial_{name.replace('-', '_')}.py")]
    equal(len(tests), 1, f"tests of {name}.md")
    check(re.search(rf'^play\w*\((?:engine, )?"{name}"', tests[0].read_text(), re.M), f"{tests[0]} plays another page")
