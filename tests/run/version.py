# SPDX-License-Identifier: MIT
"""The version is that of common/version.h wherever one is named: by the programs, the manual pages and CHANGELOG.md."""
import re
import subprocess

from lib import BUILD, ROOT, check, equal

VERSION = re.search(r'MUSTER_VERSION "(.*)"', (ROOT / "common/version.h").read_text())[1]

for name in ("muster-init", "musterctl", "muster-sidecar"):
    said = subprocess.run([BUILD / name, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    equal(said, f"{name} {VERSION}\n", f"{name} --version")
pages = sorted((ROOT / "docs").glob("*.[158]"))
check(len(pages) > 3, f"manual pages: {pages}")
for page in pages:
    equal(re.findall(r"^\.Os (.*)$", page.read_text(), re.M), [f"muster {VERSION}"], f"what {page.name} is of")
equal(re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[0], VERSION, "the newest in CHANGELOG.md")
