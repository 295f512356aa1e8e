#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests with the programs of a coverage build and says what they did not reach.

    tests/coverage/coverage.py BUILD [NAME...]

BUILD is where `make coverage` built. Its programs count into files that their processes share (counters.c); here they
are made to write what they counted, and gcov reads that. The tables go to BUILD/report.txt and report.json, and, where
all tests ran and all bounds hold, to docs/coverage.md. NAMEs run some of the tests; then nothing is asked of the result.

It fails below the bounds, where a line of PID 1 or of a parser is not reached and tests/coverage/reasons does not say
why, and where that gives a reason for what is reached. With --counted in place of NAMEs no test runs: what an earlier
run has counted is looked at.
"""

import fnmatch
import json
import os
import pathlib
import subprocess
import sys

import counts
from reasons import Reasons

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "coverage.md"
FOLDERS = ("common", "init", "sidecar")
UNITS = ("functions", "lines", "branches")

# tests that are about the program file or its memory, which is another one here
NOT_RUN = {
    "run/supervise_takes_no_memory": "compares pages of memory, and those of the counters change",
    "run/sidecar_gpu_sanitized": "is about the sanitizers' build",
    "run/hardening": "is about the programs as they are installed",
    "run/reproducible": "builds programs, without counters, and compares them",
    "run/fuzz_seeds": "needs sanitizers; here the seeds are played without them",
}

# what reads bytes that somebody else wrote
PARSERS = """
    common/config*.[ch] common/reader.c common/expand.c common/keys.c common/json.c common/seccomp_profile.c
    common/wire.c common/env_line.c common/hosts_file.c common/address.c common/endpoint.c common/match.c
    common/capability.c common/passwd.c common/durations.c common/status.c common/utf8.h common/probe_link.[ch]
    init/*notify*.c init/*control.c init/*options.c
    sidecar/dns_packet.[ch] sidecar/dns_names.c sidecar/peer_json.[ch] sidecar/strict.c sidecar/http.c
    sidecar/accept.c sidecar/media.c sidecar/hosts.c sidecar/target.c sidecar/snapshot.c
    """.split()

# group, what of it, at least so many per cent of the whole group, and of each of its files
BOUNDS = (
    ("PID 1", "functions", 99, 75),  # those that are not have a reason, as their lines have
    ("PID 1", "lines", 95, 80),
    ("parsers", "branches", 90, 75),
)


def run_tests(build, names):
    """All tests but those that cannot be shown with these programs; whether they passed."""
    environment = os.environ | {"MUSTER_BUILD": str(build)}
    for path in (build / "counters").iterdir():
        path.unlink()
    command = [sys.executable, "tests/run.py"]
    for name, why in NOT_RUN.items():
        print(f"not run: {name}: {why}", flush=True)
        command += ["--without", name]
    return subprocess.run(command + names, cwd=ROOT, env=environment, check=False).returncode == 0


def play_seeds(build):
    """The seeds of the fuzzers, without sanitizers; whether all were taken."""
    return all([subprocess.run([build / "fuzz" / entry.stem, ROOT / "tests/fuzz/seeds" / entry.stem], check=False,
                               stdout=subprocess.DEVNULL).returncode == 0
                for entry in sorted((ROOT / "tests/fuzz").glob("*.c"))])


def write_counts(build):
    """Makes each program write what it counted beside the objects; returns the sources that muster-init is made of."""
    for old in (build / "obj").rglob("*.gcda"):
        old.unlink()
    environment = os.environ | {"MUSTER_COVERAGE_WRITE": "1"}
    subprocess.run([build / "muster-init"], env=environment, check=True)
    of_init = {str(path.relative_to(build / "obj").with_suffix(".c")) for path in (build / "obj").rglob("*.gcda")}
    for program in (build / "musterctl", build / "muster-sidecar", *sorted((build / "unit").iterdir()),
                    *sorted((build / "fuzz").iterdir())):
        if program.is_file() and os.access(program, os.X_OK):
            subprocess.run([program], env=environment, check=True)
    return of_init


def is_parser(name):
    return any(fnmatch.fnmatch(name, pattern) for pattern in PARSERS)


def group_files(files, of_init):
    """The rows of the first table: name and files of each group."""
    groups = {"common/": [], "init/": [], "init/ctl/": [], "sidecar/": [], "PID 1": [], "parsers": []}
    for name, file in sorted(files.items()):
        folder = "init/ctl/" if name.startswith("init/ctl/") else name.split("/")[0] + "/"
        groups[folder].append(file)
        if folder == "init/" or name in of_init:
            groups["PID 1"].append(file)
        if is_parser(name):
            groups["parsers"].append(file)
    return groups


def add_up(files):
    totals = [file.totals() for file in files]
    return [tuple(map(sum, zip(*column))) for column in zip(*totals)]


def percent(pair):
    """Rounded down, so that 100 is all."""
    return pair[0] * 1000 // pair[1] / 10 if pair[1] else 100.0


def table(rows):
    """Lines of a table: a name, then covered, number and per cent of functions, lines and branches."""
    width = max(len(name) for name, _ in rows)
    lines = [f"{'':{width}}  {'functions':>18}  {'lines':>20}  {'branches':>20}"]
    for name, totals in rows:
        shown = (f"{covered:>6}/{number:<6}{percent((covered, number)):5.1f}" for covered, number in totals)
        lines.append(f"{name:{width}}  {'   '.join(shown)}")
    return lines


def judge(groups):
    """What is below a bound."""
    for group, unit, whole, each in BOUNDS:
        at = UNITS.index(unit)
        share = percent(add_up(groups[group])[at])
        if share < whole:
            yield f"{group}: {share} % of {unit}, not {whole}"
        for file in groups[group]:
            share = percent(file.totals()[at])
            if share < each:
                yield f"{file.name}: {share} % of {unit}, not {each}"


def find_gaps(groups):
    """{(file, function): [line, ...]} of lines of PID 1 and of parsers that were not reached."""
    files = {file.name: file for file in groups["PID 1"] + groups["parsers"]}.values()
    gaps = {(file.name, function): file.missing_lines(function) for file in files for function in file.functions}
    return {place: lines for place, lines in gaps.items() if lines}


def branch_list(files):
    """Lines of parsers that were reached, but not left in all directions, for those who write tests."""
    for file in files:
        numbers = [number for function in file.functions for number in file.missing_branches(function)]
        if numbers:
            yield f"{file.name}: not left in all directions:"
            yield from source_of(file.name, sorted(numbers))


def source_of(name, numbers):
    text = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [f"    {number:5}  {text[number - 1].strip()}" for number in numbers]


def write_report(build, groups, files, gaps, reasons):
    """report.txt: all that is known, and report.json: the counts by file."""
    lines = table([(name, add_up(group)) for name, group in groups.items()])
    lines += ["", *table([(name, file.totals()) for name, file in sorted(files.items())]), ""]
    for (name, function), numbers in sorted(gaps.items()):
        lines += [f"{name} {function}: {reasons.why(name, function) or 'NO REASON GIVEN'}", *source_of(name, numbers)]
    lines += ["", *branch_list(groups["parsers"])]
    (build / "report.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (build / "report.json").write_text(json.dumps(
        {name: dict(zip(UNITS, ({"covered": covered, "number": number} for covered, number in file.totals())))
         for name, file in sorted(files.items())}, indent=1) + "\n", encoding="utf-8")


def write_page(groups, gaps, reasons):
    """The parts of docs/coverage.md below its marks."""
    text = PAGE.read_text(encoding="utf-8")
    head = ["| | functions | lines | branches |", "|---|---|---|---|"]
    first = head + [f"| {name} | " + " | ".join(f"{covered} of {number} ({percent((covered, number))} %)"
                                                for covered, number in add_up(group)) + " |"
                    for name, group in groups.items()]
    second = []
    for why in sorted({reasons.why(*place) for place in gaps}):
        second += ["" if second else None, f"**{why[:1].upper()}{why[1:]}:**", ""]
        of_why = {place: numbers for place, numbers in sorted(gaps.items()) if reasons.why(*place) == why}
        for name in sorted({name for name, _ in of_why}):
            functions = ", ".join(f"`{function}` {len(numbers)}" for (file, function), numbers in of_why.items() if file == name)
            second.append(f"- {name}: {functions}")
    for mark, rows in (("table", first), ("gaps", second)):
        begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->\n"
        before, _, rest = text.partition(begin)
        _, _, behind = rest.partition(end)
        text = before + begin + "\n" + "\n".join(row for row in rows if row is not None) + "\n\n" + end + behind
    PAGE.write_text(text, encoding="utf-8")


def main():
    build, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    counted = names == ["--counted"]
    passed = counted or (run_tests(build, names) and play_seeds(build))
    of_init = write_counts(build)
    files = counts.read(ROOT, build / "obj", FOLDERS)
    groups = group_files(files, of_init)
    gaps = find_gaps(groups)
    reasons = Reasons(ROOT / "tests" / "coverage" / "reasons")
    write_report(build, groups, files, gaps, reasons)
    print("\n".join(table([(name, add_up(group)) for name, group in groups.items()])))
    print(f"{build}/report.txt names files, and what was not reached")
    if names and not counted:
        return not passed
    wrong = [*judge(groups), *reasons.judge(files, gaps)]
    for line in wrong:
        print(line)
    if passed and not wrong:
        write_page(groups, gaps, reasons)
    return not passed or bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
