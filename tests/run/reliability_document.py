# SPDX-License-Identifier: MIT
"""docs/reliability.md is what its generator makes of its sections: those of a script once each and of full runs, and an
overview of what has a peer."""
import sys

from lib import ROOT, equal

sys.path.insert(0, str(ROOT / "tests" / "reliability"))
import report

document = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
sections = report.sections_of(document)
scripts = [name for name in map(report.script_of, sections) if name]
equal(sorted(set(scripts)), sorted(scripts), "sections of scripts, each of them once")
equal(sorted(set(scripts) - set(report.names())), [], "sections of scripts that are not there")
equal(report.compose(sections).splitlines(), document.splitlines(), "the document")
equal(", short run, " in document, False, "a section of a short run")
