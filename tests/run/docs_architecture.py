# SPDX-License-Identifier: MIT
"""docs/architecture.md names every .c file of the programs, each once and in the table of its folder, and no file that
is not there; what it says of who includes whom is what scripts/check-includes finds, and PID 1 is not larger than it says."""
import re
import subprocess

from lib import ROOT, check, equal

TEXT = (ROOT / "docs/architecture.md").read_text()
FOLDERS = ("common", *(f"init{part}" for part in ("", "/start", "/wrap", "/system", "/child", "/ctl")), "sidecar")


def table(folder):
    """The files in the table of a folder, in its last column: `name` is name.c."""
    section = re.search(rf"^### {folder}/\n\n((?:\|.*\n)+)", TEXT, re.M)
    check(section, f"there is no table of {folder}/")
    cells = " ".join(line.rstrip("|").rpartition("|")[2] for line in section[1].splitlines()[2:])
    return [name if "." in name else f"{name}.c" for name in re.findall(r"`([\w.]+)`", cells)]


for name in FOLDERS:
    named = table(name)
    equal(sorted(set(named)), sorted(named), f"files of {name}/ without those that are named twice")
    missing = [file for file in named if not (ROOT / name / file).exists()]
    equal(missing, [], f"named in the table of {name}/, but not there")
    there = {path.name for path in (ROOT / name).glob("*.c")}
    equal(sorted(there - set(named)), [], f"in {name}/, but not in its table")

# whatever else looks like a path
for path in set(re.findall(r"(?<![\w/.-])((?:common|init|sidecar|tests|docs|scripts)/[\w./*-]*\w)", TEXT)):
    check(list(ROOT.glob(path)), f"{path} is named, but not there")
for link in re.findall(r"\]\(([^)#:]+)\)", TEXT):
    check((ROOT / "docs" / link).exists(), f"a link leads to {link}, which is not there")

result = subprocess.run([ROOT / "scripts/check-includes"], capture_output=True, text=True, check=False)
equal((result.returncode, result.stderr), (0, ""), "scripts/check-includes")

result = subprocess.run([ROOT / "scripts/count-lines", "--check"], capture_output=True, text=True, check=False)
equal((result.returncode, result.stderr), (0, ""), "scripts/count-lines --check")
