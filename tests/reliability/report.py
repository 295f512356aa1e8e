#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the scripts beside this one share, and how docs/reliability.md is made of them.

report.py [--quick] FILE [NAME...]   runs the scripts (all, or those named) and puts the section that each
                                     prints in its place in FILE; other sections stay as they are

A script NAME.py shows one promise in figures. It prints a section of Markdown and exits 0; 1 when a
goal is missed, 77 with `skip: REASON` where the machine cannot show it. With --quick it is the short
version of itself that tests/run/reliability_NAME.py runs. The usual form:

    from report import QUICK, Section
    section = Section("Signals", "What is shown, in a few sentences.")
    section.table(["signal", "arrived"], [["HUP", 100]])
    section.goal("lost signals", "0", lost, lost == 0, peer="tini: 0 (measured here)")
    section.finish()

Goals that name a peer are also in the table at the top of FILE.

The promises are about the program, so what runs it comes from tests/run/lib.py (`import lib` works).
"""

import datetime
import os
import pathlib
import platform
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "run"))

QUICK = "--quick" in sys.argv[1:]
SKIPPED = 77
GOALS = ["figure", "goal", "found", "goal is", "best peer"]

HEAD = """# Reliability

What muster does when things go wrong around it, in figures: each section says what is shown, with
which command, and whether its goals are met. Everything runs the real programs, as PID 1 of a
namespace of their own or as a subreaper. `make reliability` makes all of it again (as root, on a
machine that permits namespaces), `make reliability RELIABILITY='NAME ...'` some sections; a short
version of each is part of `make test`. Written by `tests/reliability/report.py`.

## Overview

What is promised, and the best figure of others of the kind: "here" was measured in the same run, "once" for this
project on Debian 12 (tini 0.19, dumb-init 1.2.5, catatonit 0.1.7, s6, dinit 0.22, supervisord 4.2), "published" is what
their authors or users wrote down. A dash: none of them promises it.
"""


def line_of(cells):
    return "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\|", str(cell)) for cell in cells) + " |"


def table(header, rows):
    """A table of Markdown: the first column is text, the others are figures."""
    return "\n".join([line_of(header), "|---|" + "---:|" * (len(header) - 1), *map(line_of, rows)])


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
                      f"{'short' if QUICK else 'full'} run, {machine()}, load average {os.getloadavg()[0]:.1f} before it."]
        self.goals = []
        self.missed = False

    def say(self, text):
        self.parts.append(text)

    def table(self, header, rows):
        self.parts.append(table(header, rows))

    def goal(self, what, goal, figure, met, peer=""):
        """One figure against its goal, and that of the best peer where there is one, all as they are to be shown."""
        self.goals.append([what, goal, figure, "met" if met else "**missed**", peer])
        self.missed = self.missed or not met

    def finish(self):
        """Prints the section and ends the script."""
        if self.goals:
            self.table(GOALS, self.goals)
        print("\n\n".join(self.parts), file=sys.__stdout__)  # whatever threads have made of stdout meanwhile
        sys.exit(1 if self.missed else 0)


def names():
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem != pathlib.Path(__file__).stem)


def run(name):
    """Runs one script: (whether it met its goals, its section, or "" if it printed none)."""
    print(f"  {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-B", str(HERE / f"{name}.py")] + (["--quick"] if QUICK else [])
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    text = result.stdout.strip()
    if result.returncode not in (0, SKIPPED):
        print(f"{name}: exit code {result.returncode}\n{text}", file=sys.stderr)
    elif result.returncode == SKIPPED:
        print(f"{name}: not shown on this machine: {text.rpartition('skip: ')[2]}", file=sys.stderr)
    return result.returncode in (0, SKIPPED), text if text.startswith("## ") else ""


# ---- the document ----


def script_of(section):
    """The script that wrote a section, "" for one that was written otherwise."""
    found = re.search(r"^`tests/reliability/(\w+)\.py`, ", section, re.M)
    return found[1] if found else ""


def sections_of(document):
    """All but the head, each without blank lines around it."""
    parts = re.split(r"^(?=## )", document, flags=re.M)[1:]
    return [part.strip() for part in parts if not part.startswith("## Overview\n")]


def promises(section):
    """The rows of the overview: the goals that name a peer."""
    title = section.partition("\n")[0].removeprefix("## ")
    anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    lines = section.partition("| " + " | ".join(GOALS) + " |\n")[2].splitlines()[1:]
    for line in lines:
        what, goal, found, met, peer = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        if peer:
            yield [f"[{title}](#{anchor}): {what}", goal, found + ("" if met == "met" else f", {met}"), peer,
                   f"`RELIABILITY={script_of(section)}`"]


def compose(sections):
    """The document. Sections of scripts come in the order of their names, others behind them."""
    ordered = sorted(sections, key=lambda section: (not script_of(section), script_of(section)))
    rows = [row for section in ordered for row in promises(section)]
    header = ["promise", "goal", "found", "best peer", "`make reliability`"]
    overview = "\n".join([line_of(header), "|---|" + "---|" * (len(header) - 1), *map(line_of, rows)])
    return "\n\n".join([HEAD.strip(), overview, *ordered]) + "\n"


def main():
    file, *wanted = [word for word in sys.argv[1:] if word != "--quick"]
    unknown = set(wanted) - set(names())
    if unknown:
        sys.exit(f"report: no such script: {', '.join(sorted(unknown))} (there are {', '.join(names())})")
    path, all_met = pathlib.Path(file), True
    for name in wanted or names():
        met, section = run(name)
        all_met = all_met and met
        document = path.read_text(encoding="utf-8") if path.exists() else ""
        others = [other for other in sections_of(document) if script_of(other) != name or not section]
        path.write_text(compose(others + [section] * bool(section)), encoding="utf-8")
    sys.exit(0 if all_met else 1)


if __name__ == "__main__":
    main()
