#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests: tests/run.py [-j N] [-v] [--without NAME] [NAME...]

Unit tests are the programs in BUILD/unit and, where they were built, those of the sanitizer builds
below BUILD; run tests are tests/run/*.py. A NAME is that of a file, with or without its ending, or a
pattern such as 'wrap_*'. Image tests, tests/image/*.py, start a container engine: they run only when
a NAME asks for them, such as 'image/*' (see make test-image); so do those of tests/k8s (make test-k8s) and
tests/dist (make test-dist). Output is shown of what fails. The last line is `N passed, N failed, N skipped`.
"""

import argparse
import concurrent.futures
import contextlib
import fnmatch
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("MUSTER_BUILD", HERE.parent / "build")).resolve()
SECONDS = 120
IMAGE_SECONDS = 900  # they may have to be built
LINGER = 20  # seconds in which what a test has ended may be on its way out
SKIPPED = 77
HELPERS = {"lib.py", "engine.py", "cluster.py"}


class Outcome:
    """What one program said: counts, and text to show."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0
        self.text = ""
        self.seconds = 0.0
        self.reason = ""


marks = {}  # what is in the environment of all that a test starts: the test's name


def run_program(command, env, name, seconds=SECONDS):
    """Exit code (None: it took too long) and output; nothing of it outlives this call."""
    mark = f"MUSTER_TEST={uuid.uuid4()}"
    marks[mark.encode()] = name
    env = env | dict([mark.split("=")])
    # a shell's job in the background ignores Ctrl-C, and so would all that it starts
    process = subprocess.Popen(["env", "--default-signal=HUP,INT,QUIT", *command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        code = None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if code != 0:
        kill_all(marked({mark.encode()}))
    if code is None:
        output, _ = process.communicate()
    return code, output.decode("utf-8", "replace")


def marked(wanted):
    """{pid: mark} of all processes that have one of the marks."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            own = wanted & set(pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
            found |= {int(pid): mark for mark in own}
    return found


def kill_all(pids):
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def left_behind():
    """The processes that tests which passed have left in sessions of their own, which are ended here."""
    deadline = time.monotonic() + LINGER
    while (found := marked(set(marks))) and time.monotonic() < deadline:
        time.sleep(0.1)
    outcome = Outcome("processes that are left behind")
    for pid, mark in found.items():
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            outcome.text += f"of {marks[mark]}: {pid} {words}\n"
            outcome.failed = 1
    kill_all(found)
    return outcome


def run_unit(path, name):
    """A cmocka program; each of its tests counts."""
    outcome = Outcome(name)
    code, output = run_program([str(path)], os.environ | {"MUSTER_BUILD": str(BUILD), "CMOCKA_MESSAGE_OUTPUT": "STDOUT"}, name)
    outcome.passed = len(re.findall(r"^\[       OK \]", output, re.M))
    outcome.skipped = len(set(re.findall(r"^\[  SKIPPED \] (\w+)$", output, re.M)))
    outcome.failed = len(set(re.findall(r"^\[  FAILED  \] (\w+)$", output, re.M)))
    total = sum(map(int, re.findall(r"^\[==========\] Running (\d+) test", output, re.M)))
    counted = outcome.passed + outcome.skipped + outcome.failed
    if code != 0 or total == 0 or counted < total:
        # a crash, or a group's set-up: what did not report did not pass
        outcome.failed = max(outcome.failed, 1, total - outcome.passed - outcome.skipped)
        outcome.text = f"{output}\n{verdict(code)}"
    return outcome


def run_script(path, name):
    outcome = Outcome(name)
    env = os.environ | {"MUSTER_BUILD": str(BUILD), "PYTHONDONTWRITEBYTECODE": "1"}
    seconds = SECONDS if name.startswith("run/") else IMAGE_SECONDS
    code, output = run_program([sys.executable, str(path)], env, name, seconds)
    if code == 0:
        outcome.passed = 1
    elif code == SKIPPED:
        outcome.skipped = 1
        outcome.reason = (re.findall(r"^skip: (.*)$", output, re.M) or ["no reason given"])[-1]
    else:
        outcome.failed = 1
        outcome.text = f"{output}\n{verdict(code, seconds)}"
    return outcome


def verdict(code, seconds=SECONDS):
    if code is None:
        return f"ended after {seconds} s"
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def find_tests(patterns):
    """(function, path, name) of all that match."""
    found = []
    for folder in sorted({BUILD / "unit", *BUILD.glob("sanitize-*/unit")}):
        below = folder.parent.relative_to(BUILD)
        prefix = "" if str(below) == "." else f"{below}/"
        for path in sorted(folder.glob("*")) if folder.is_dir() else []:
            if os.access(path, os.X_OK) and path.is_file():
                found.append((run_unit, path, f"{prefix}unit/{path.name}"))
    for group in ("run", "image", "k8s", "dist") if patterns else ("run",):
        for path in sorted((HERE / group).glob("*.py")):
            if path.name not in HELPERS:
                found.append((run_script, path, f"{group}/{path.stem}"))
    return [test for test in found if wanted(test, patterns)]


def wanted(test, patterns):
    _, path, name = test
    names = {name, path.name, path.stem}
    return not patterns or any(fnmatch.fnmatch(name, p.removesuffix(".c")) for p in patterns for name in names)


def run_one(test):
    function, path, name = test
    begin = time.monotonic()
    try:
        outcome = function(path, name)
    except OSError as error:
        outcome = Outcome(name)
        outcome.failed = 1
        outcome.text = f"cannot run: {error}"
    outcome.seconds = time.monotonic() - begin
    return outcome


def report(outcome, verbose):
    if outcome.failed:
        print(f"FAILED {outcome.name}\n{outcome.text.rstrip()}\n", flush=True)
    elif outcome.reason:
        print(f"skipped {outcome.name}: {outcome.reason}", flush=True)
    elif verbose:
        print(f"ok {outcome.name} ({outcome.passed}, {outcome.seconds:.1f} s)", flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", type=int, default=2 * (os.cpu_count() or 1), help="at the same time")
    parser.add_argument("-v", action="store_true", help="name what passes, too")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="run all but this")
    parser.add_argument("names", nargs="*", metavar="NAME")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    tests = [test for test in find_tests(arguments.names)
             if not arguments.without or not wanted(test, arguments.without)]
    with concurrent.futures.ThreadPoolExecutor(max(arguments.j, 1)) as pool:
        outcomes = []
        for future in concurrent.futures.as_completed([pool.submit(run_one, test) for test in tests]):
            outcomes.append(future.result())
            report(outcomes[-1], arguments.v)
    if outcomes and (left := left_behind()).failed:
        outcomes.append(left)
        report(left, arguments.v)
    passed, failed, skipped = (sum(getattr(outcome, key) for outcome in outcomes)
                               for key in ("passed", "failed", "skipped"))
    if not outcomes:
        print(f"no test matches {' '.join(arguments.names) or 'anything'}")
    for name in sorted(outcome.name for outcome in outcomes if outcome.failed):
        print(f"failed: {name}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
