# SPDX-License-Identifier: MIT
"""Each test that docs/promises.md names is there, and each promise names one."""
import re

from lib import ROOT, check, equal

FOLDERS = {"run": "tests/run/{}.py", "image": "tests/image/{}.py", "k8s": "tests/k8s/{}.py", "dist": "tests/dist/{}.py",
           "unit": "tests/unit/{}_test.c"}
ROWS = re.findall(r"^\| (?!promise|-)(.+?) \| (.+) \|$", (ROOT / "docs/promises.md").read_text(), re.M)

check(len(ROWS) > 80, f"only {len(ROWS)} promises are found")
for promise, tests in ROWS:
    names = re.findall(r"`(\w+)/([\w*]+)`", tests)
    equal(" ".join(f"`{folder}/{name}`" for folder, name in names), tests, f"tests of: {promise}")
    for folder, name in names:
        check(list(ROOT.glob(FOLDERS[folder].format(name))), f"{promise}: there is no {FOLDERS[folder].format(name)}")
