# SPDX-License-Identifier: MIT
"""The blocks of code of README.md and of pages in docs/, for tests that do what these say as it is written there."""

import re
import textwrap

from lib import ROOT, equal


def blocks(title, begins, page="README.md"):
    """The blocks of code of a section; `begins`: the first word of each."""
    section = re.search(rf"^## {title}\n(.*?)^## ", (ROOT / page).read_text(), re.M | re.S)[1]
    found = [textwrap.dedent(block) for block in re.findall(r"^\n((?:    .*\n|\n(?=    ))+)", section, re.M)]
    equal([block.split()[0] for block in found], begins, "blocks of code")
    return found
