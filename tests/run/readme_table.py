# SPDX-License-Identifier: MIT
"""The table of README.md that has muster beside others is true where this machine can show it: exit codes and what
becomes of processes left behind, of those that are installed; figures are about those of docs/benchmarks.md."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from lib import INIT, ROOT, check, equal, namespace_command

README = (ROOT / "README.md").read_text()
BENCHMARKS = (ROOT / "docs/benchmarks.md").read_text()
WRAPPERS = {"muster": [INIT, "--"], "tini": ["tini", "--"], "dumb-init": ["dumb-init", "--"], "catatonit": ["catatonit", "--"]}
# row of the README: caption in benchmarks.md, its column of figures, factor that is still "about the same"
FIGURES = {
    "adds to a start of `true`": ("wrapping `true`, CPU 1", "added", 2),
    "memory of its own, wrapping one": ("wrapping `sleep`", "dirty", 1.5),
    "memory of its own, 100 services": ("supervising, the supervisor's own processes", "dirty", 1.5),
    "84 services ready / longest chain": ("layered84:", "/ critical path", 1.02),
    "killed, and running again after": ("killed, and running again without delay (ms)", "median", 2.5),
}
OTHER_NAMES = {"s6-overlay": "s6"}  # what was measured of it
UNITS = {"adds to a start of `true`": 1000}  # microseconds there, milliseconds here
# one process leaves another behind, which says so when it gets TERM
LEAVES = """(trap 'sleep 1; echo term >left; exit' TERM; : >up; while :; do sleep 0.01; done) &
    until [ -e up ]; do sleep 0.01; done"""


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def readme_table():
    """{row: {name: cell}}"""
    lines = re.search(r"^\| \| muster .*\n\|---.*\n((?:\|.*\n)+)", README, re.M)
    check(lines, "README.md has no table")
    names = cells(re.search(r"^\| (\| muster .*)", README, re.M)[1])
    return {row[0]: dict(zip(names, row[1:])) for row in map(cells, lines[1].splitlines())}


def benchmark(caption, column):
    """{name: figure} of the table below a caption; of one with numbers of services, that of 100."""
    found = re.search(rf"^{re.escape(caption)}.*\n\n(\|.*)\n\|.*\n((?:\|.*\n)+)", BENCHMARKS, re.M)
    check(found, f"docs/benchmarks.md has no table {caption!r}")
    head = cells(found[1])
    rows = [dict(zip(head, cells(line))) for line in found[2].splitlines()]
    return {row[head[0]]: float(row[column]) for row in rows if row.get("services", "100") == "100" and row[column] not in ("", "-")}


def check_figures(table):
    for title, (caption, column, factor) in FIGURES.items():
        measured = benchmark(caption, column)
        for name, cell in table[title].items():
            builds = {"muster-musl": r"^([\d.]+) \w+ musl", "muster": r", ([\d.]+) \w+ glibc$"}
            if " musl, " not in cell:
                builds = {OTHER_NAMES.get(name, name): r"^([\d.]+)"}
            for build, form in builds.items() if cell else ():
                said, is_so = float(re.search(form, cell)[1]), measured[build] / UNITS.get(title, 1)
                check(is_so / factor <= said <= is_so * factor, f"{title}: {build} has {said} in README.md, {is_so} was measured")


def run(words, script, folder):
    return subprocess.run([*namespace_command(), *words, "sh", "-c", script], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False).returncode


def check_wrappers(table):
    codes, left = table["ends with the code of"], table["what the program leaves behind"]
    for name, words in WRAPPERS.items():
        if not shutil.which(words[0]):
            print(f"not looked at: {name}, which is not installed")
            continue
        with tempfile.TemporaryDirectory(prefix="muster-test-") as folder:
            equal((run(words, "exit 3", folder), codes[name].split(",")[0]), (3, "the program"), f"exit code of {name}")
            run(words, LEAVES, folder)
            said = (pathlib.Path(folder) / "left").exists()
            equal(said, left[name] == "TERM, time, KILL", f"{name} gives what is left behind time to end")


def check_supervisord(table):
    """It ends with 0, although what it was to run has failed for good, and goes on until then."""
    if not shutil.which("supervisord"):
        print("not looked at: supervisord, which is not installed")
        return
    with tempfile.TemporaryDirectory(prefix="muster-test-") as folder:
        path = pathlib.Path(folder) / "supervisord.conf"
        path.write_text(f"""[supervisord]
            nodaemon = true
            logfile = {folder}/log
            childlogdir = {folder}
            pidfile = {folder}/pid
            [program:fails]
            command = sh -c "exit 3"
            startretries = 0
            [program:ends]
            command = sh -c "until grep -q FATAL {folder}/log; do sleep 0.05; done; kill -TERM $PPID; exec sleep 60"
            """.replace("            ", ""))
        done = subprocess.run(["supervisord", "-c", path], env=os.environ, capture_output=True, timeout=110, check=False)
        equal((done.returncode, table["ends with the code of"]["supervisord"]), (0, "always 0"), "exit code of supervisord")


table = readme_table()
equal(len({len(row) for row in table.values()}), 1, "widths of rows")
check_figures(table)
check_wrappers(table)
check_supervisord(table)
