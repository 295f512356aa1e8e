# SPDX-License-Identifier: MIT
"""Every link from a page for people (README.md, CHANGELOG.md, docs/, and what lies beside the parts) leads somewhere,
and docs/README.md lists every page of docs/."""
import re

from lib import ROOT, check, equal

pages = [path for pattern in ("*.md", "docs/*.md", "docs/tutorial/*.md", "*/README.md", "k8s/**/*.md") for path in ROOT.glob(pattern)]
check(len(pages) > 20, f"pages: {len(pages)}")


def anchors(path):
    """What a heading is called in a link."""
    titles = re.findall(r"^#+ (.*)", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


for page in sorted(set(pages)):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        name, _, anchor = link.partition("#")
        if ":" in name:
            continue  # not of this repository
        target = (page.parent / name).resolve() if name else page
        check(target.exists(), f"{page.relative_to(ROOT)} leads to {link}, which is not there")
        check(not anchor or anchor in anchors(target), f"{page.relative_to(ROOT)} leads to {link}, which has no such heading")

index = (ROOT / "docs/README.md").read_text()
there = {path.name for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".json")} - {"README.md"}
equal(sorted(name for name in there if f"({name})" not in index), [], "in docs/, but not in docs/README.md")
manual = {f"{path.stem}({path.suffix[1:]})" for path in (ROOT / "docs").glob("*.[158]")}
equal(sorted(name for name in manual if name not in index), [], "manual pages that docs/README.md does not name")
