#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""muster-init(8) describes every option that --help shows, and no other."""
import re

from lib import ROOT, check, equal, run_init

page = (ROOT / "docs" / "muster-init.8").read_text()
shown = run_init("--help", pid1=False).stdout
in_help = set(re.findall(r"--([a-z][a-z-]+)", shown))
in_page = {name for line in page.splitlines() if line.startswith(".It Fl")
           for name in re.findall(r"(?:Fl|,) -([a-z][a-z-]+)", line)}
check(len(in_help) > 15, f"options of --help: {in_help}")
equal(in_page, in_help, "options of the page")
for letter in re.findall(r"^ +-(\w), ", shown, re.M):
    check(re.search(rf"^\.It Fl {letter} ", page, re.M), f"-{letter} is not in the page")
