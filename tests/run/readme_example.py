# SPDX-License-Identifier: MIT
"""The complete configuration in README.md and that of the demo are right."""

import os
import re
import subprocess
import tempfile
import textwrap

from lib import CTL, ROOT, check, equal

PORTS = {f"DEMO_{name}_PORT": "8000" for name in ("DASHBOARD", "MODEL", "API", "WEB")}


def check_config(path, **env):
    result = subprocess.run([CTL, "check", path], capture_output=True, text=True, check=False,
                            env={"PATH": os.environ["PATH"]} | env)
    said = [line for line in result.stderr.splitlines() if " on this machine" not in line]
    equal((result.returncode, said), (0, []), f"musterctl check {path}")


def main():
    text = (ROOT / "README.md").read_text()
    block = re.search(r"^    \[muster\]\n(?:(?:    .*)?\n)+", text, re.M)
    check(block, "README.md has no configuration")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "muster.ini")
        with open(path, "w", encoding="utf-8") as file:
            # its users are those of an image
            file.write(re.sub(r"^(user +=) \w+", r"\1 nobody", textwrap.dedent(block.group()), flags=re.M))
        check_config(path)
    check_config(ROOT / "demo/muster.ini", DEMO_DIR="/d", DEMO_HOME="/d/demo", **PORTS)


main()
