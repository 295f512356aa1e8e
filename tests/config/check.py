#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds muster-init --check to what the files in tests/config/bad and tests/config/good say of themselves.

tests/config/check.py [FILE...]: the programs are those in $MUSTER_BUILD, else build/. What a comment
such as `# expect: LINE: TEXT` means is told in tests/unit/config_corpus_test.c, which reads the same
files through the library; here a user's view is compared: exit code and stderr.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
INIT = pathlib.Path(os.environ.get("MUSTER_BUILD", ROOT / "build")).resolve() / "muster-init"


def directives(path):
    """{word: [text, ...]} of a file, or of NAME.expect beside it."""
    beside = path.with_suffix(".expect")
    text = (beside if beside.exists() else path).read_bytes().decode("utf-8", "replace")
    found = {}
    for word, rest in re.findall(r"^# (expect|warn|env|program|refused): (.*?)\r?$", text, re.M):
        found.setdefault(word, []).append(rest)
    return found


def matches(name, expected, line):
    number, _, text = expected.partition(": ")
    if not number.isdigit():
        return line.startswith(expected)
    head = f"{name}:{number}: "
    return line.startswith(head) and text in line[len(head):]


def run(name, said):
    """The exit code, errors and warnings: the lines of stderr less those that are about the whole."""
    env = {"HOME": "/home/tester"} | dict(text.split("=", 1) for text in said.get("env", []))
    program = " ".join(said.get("program", [])).split()
    result = subprocess.run([INIT, "--check", "-c", name, *program], cwd=ROOT, env=env, check=False,
                            stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    lines = result.stderr.decode("utf-8", "replace").splitlines()
    lines = [line for line in lines if not line.startswith("muster-init: ")]
    warnings = [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]
    # what is not there may be elsewhere
    warnings = [line for line in warnings if " on this machine" not in line]
    return result.returncode, [line for line in lines if not line.startswith("warning: ")], warnings


def differences(name, expected, lines):
    """Each line is to be expected once, and each expectation met."""
    lines = list(lines)
    for text in expected:
        line = next((line for line in lines if matches(name, text, line)), None)
        if line is None:
            yield f"{name}: not said: {text}"
        else:
            lines.remove(line)
    for line in lines:
        yield f"{name}: not expected: {line}"


def problems(path):
    name = str(path.resolve().relative_to(ROOT))
    said = directives(path)
    code, errors, warnings = run(name, said)
    expected = said.get("expect", [])
    # refused: it can be read, but there is nothing for init to do
    if code != (78 if expected or "refused" in said else 0):
        yield f"{name}: exit code {code}"
    yield from differences(name, expected, errors)
    yield from differences(name, said.get("warn", []), warnings)


def main():
    paths = [pathlib.Path(name) for name in sys.argv[1:]]
    if not paths:
        paths = sorted(pathlib.Path(__file__).parent.glob("*/*.ini"))
    found = [problem for path in paths for problem in problems(path)]
    print("\n".join(found + [f"{len(paths)} files, {len(found)} problems"]))
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
