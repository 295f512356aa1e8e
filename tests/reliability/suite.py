#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`make test`, twenty times in a row (SUITE_RUNS=N) beside stress-ng: no run fails, and none leaves anything behind."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

from report import QUICK, ROOT, SKIPPED, Section

CORES = len(os.sched_getaffinity(0))
RUNS = 2 if QUICK else int(os.environ.get("SUITE_RUNS", "20"))
LOAD = ["stress-ng", "--quiet", "--cpu", str(CORES), "--io", str(CORES)]
# the short version, itself one of the tests, plays a few of them
TESTS = "wrap_usage wrap_leftovers_*" if QUICK else f"-j {4 * CORES}"
BUILD = pathlib.Path(os.environ.get("MUSTER_BUILD", ROOT / "build")).resolve()


def processes_left(mark):
    """Commands of processes that are still there and have the mark in their environment."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip())
        except OSError:
            pass  # it is gone
    return found


def run_once(number):
    """One row: seconds, passed, failed, skipped, processes and files left behind; and the names of what failed."""
    folder = tempfile.mkdtemp(prefix="suite-")
    os.chmod(folder, 0o1777)
    mark = f"MUSTER_SUITE={uuid.uuid4()}"
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MUSTER_BUILD")}
    env |= dict([mark.split("=")], TMPDIR=folder)
    if QUICK:
        command = [sys.executable, "-B", "tests/run.py", *TESTS.split()]
        env["MUSTER_BUILD"] = str(BUILD)
    else:
        command = ["make", "test", f"BUILD={BUILD}", f"TESTS={TESTS}"]
    begin = time.monotonic()
    output = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, errors="replace", check=False).stdout
    seconds = round(time.monotonic() - begin)
    counts = re.search(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", output, re.M)
    failed = re.findall(r"^failed: (.*)$", output, re.M)
    left = processes_left(mark.encode())
    files = os.listdir(folder)
    shutil.rmtree(folder, ignore_errors=True)
    if failed or not counts or left or files:
        print(f"run {number}:\n{output[-20000:]}\nleft behind: {left} {files}", file=sys.stderr, flush=True)
    passed, bad, skipped = map(int, counts.groups()) if counts else (0, 1, 0)
    print(f"  run {number}: {seconds} s, {passed} passed, {bad} failed, {skipped} skipped", file=sys.stderr, flush=True)
    return [seconds, passed, bad, skipped, len(left), len(files)], failed or ["the run itself"] * bool(bad)


def main():
    if not QUICK and not shutil.which(LOAD[0]):
        print("skip: stress-ng is not installed")
        sys.exit(SKIPPED)
    section = Section("The tests on a loaded machine", f"""`make test TESTS="{TESTS}"`, {RUNS} times in a row, while
{' '.join(LOAD)} takes what it gets of processors and disk: nothing fails that does not fail on a quiet machine, and no run
leaves a process or a temporary file behind.""")
    load = None if QUICK else subprocess.Popen(LOAD, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        results = [run_once(number + 1) for number in range(RUNS)]
    finally:
        if load:
            load.terminate()
            load.wait()
    rows = [[number + 1, *row] for number, (row, _) in enumerate(results)]
    section.table(["run", "seconds", "passed", "failed", "skipped", "processes left", "files left"], rows)
    flakes = sorted({name for _, names in results for name in names})
    if flakes:
        section.say("Failed at least once: " + ", ".join(f"`{name}`" for name in flakes) + ".")
    green = sum(row[2] == 0 for row, _ in results)
    section.goal("runs without a failure", RUNS, green, green == RUNS)
    left = sum(row[4] + row[5] for row, _ in results)
    section.goal("processes and files left behind", 0, left, left == 0)
    section.finish()


main()
