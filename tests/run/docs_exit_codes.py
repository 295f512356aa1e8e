# SPDX-License-Identifier: MIT
"""EXIT STATUS of each manual page has the codes that the sources have, and no others; so has musterctl --help."""
import re

from docslib import PROGRAMS, items, output, page, section, sources
from lib import CTL, check, equal

# where a program's codes stand in its sources
CODES = {
    "muster-init": r"#define EXIT_\w+ +(\d+)|missing \? (\d+) : (\d+);",
    "musterctl": r"\bCTL_[A-Z_]+ = (\d+)",
    "muster-sidecar": r"(?:#define EXIT_\w+ +|\bONCE_\w+ = )(\d+)",
}

for name, (_, file, folder, without) in PROGRAMS.items():
    found = {int(code) for match in re.finditer(CODES[name], sources(folder, without)) for code in match.groups() if code}
    check(len(found) > 5, f"codes in the sources of {name}: {found}")
    # 0 of muster-init is a sentence, and so are the codes of programs and services
    told = {int(word) for word in items(section(page(file), "EXIT STATUS"), "") if word.isdigit()}
    equal(sorted(told | {0}), sorted(found | {0}), f"codes in {file}")
shown = output(CTL, "--help").partition("exit codes:")[2]
equal([int(code) for code in re.findall(r"\d+", shown)], sorted(int(code) for code in re.findall(CODES["musterctl"], sources("init/ctl"))),
      "codes in musterctl --help")
