#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the scripts beside this one share, and how docs/reliability.md is made of them.

report.py [--quick] FILE [NAME...]   runs the scripts (all, or those named), keeps the section that
                                     each prints, and writes FILE from the newest of all

A script NAME.py shows one promise in figures. It prints a section of Markdown and exits 0; 1 when a
goal is missed, 77 with `skip: REASON` where the machine cannot show it. With --quick it is the short
version of itself that tests/run/reliability_NAME.py runs. The usual form:

    from report import QUICK, Section
    section = Section("Signals", "What is shown, in a few sentences.")
    section.table(["signal", "arrived"], [["HUP", 100]])
    section.goal("lost signals", "0", lost, lost == 0)
    section.finish()

The promises are about the program, so what runs it comes from tests/run/lib.py (`import lib` works).
"""

import datetime
import os
import pathlib
import platform
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "run"))

QUICK = "--quick" in sys.argv[1:]
SKIPPED = 77

HEAD = """# Reliability

What muster does when things go wrong around it, in figures: each section says what is shown, with
which command, and whether its goals are met. Everything runs the real programs, as PID 1 of a
namespace of their own or as a subreaper. `make reliability` makes all of it again (as root, on a
machine that permits namespaces), `make reliability RELIABILITY='NAME ...'` some sections; a short
version of each is part of `make test`. Written by `tests/reliability/report.py`.
"""


def table(header, rows):
    """A table of Markdown: the first column is text, the others are figures."""
    def line(cells):
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(header), "|---|" + "---:|" * (len(header) - 1), *map(line, rows)])


def machine():
    return (f"{platform.system()} {'.'.join(platform.release().split('-')[0].split('.')[:2])} "
            f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
            f"{'root' if os.geteuid() == 0 else 'not root'}")


class Section:
    """One section: parts in order, and goals, which come last."""

    def __init__(self, title, text):
        script = pathlib.Path(sys.argv[0]).stem
        self.parts = [f"## {title}", " ".join(text.split()),
                      f"`tests/reliability/{script}.py`, {datetime.date.today().isoformat()}, "
                      f"{'short' if QUICK else 'full'} run, {machine()}."]
        self.goals = []
        self.missed = False

    def say(self, text):
        self.parts.append(text)

    def table(self, header, rows):
        self.parts.append(table(header, rows))

    def goal(self, what, goal, figure, met):
        """One figure against its goal, both as they are to be shown."""
        self.goals.append([what, goal, figure, "met" if met else "**missed**"])
        self.missed = self.missed or not met

    def finish(self):
        """Prints the section and ends the script."""
        if self.goals:
            self.table(["figure", "goal", "found", "goal is"], self.goals)
        print("\n\n".join(self.parts))
        sys.exit(1 if self.missed else 0)


def names():
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem != pathlib.Path(__file__).stem)


def run(name, kept):
    """Runs one script and keeps its section; whether it met its goals."""
    print(f"  {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-B", str(HERE / f"{name}.py")] + (["--quick"] if QUICK else [])
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    text = result.stdout.strip()
    if result.returncode == SKIPPED:
        text = f"## {name}\n\nNot shown on this machine: {text.rpartition('skip: ')[2]}."
    if text.startswith("## "):
        kept.mkdir(parents=True, exist_ok=True)
        (kept / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    if result.returncode not in (0, SKIPPED):
        print(f"{name}: exit code {result.returncode}\n{text}", file=sys.stderr)
    return result.returncode in (0, SKIPPED)


def main():
    file, *wanted = [word for word in sys.argv[1:] if word != "--quick"]
    unknown = set(wanted) - set(names())
    if unknown:
        sys.exit(f"report: no such script: {', '.join(sorted(unknown))} (there are {', '.join(names())})")
    kept = pathlib.Path(os.environ.get("MUSTER_BUILD", ROOT / "build")) / "reliability"
    met = [run(name, kept) for name in wanted or names()]
    sections = [path.read_text(encoding="utf-8") for name in names() if (path := kept / f"{name}.md").exists()]
    pathlib.Path(file).write_text("\n".join([HEAD, *sections]), encoding="utf-8")
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
