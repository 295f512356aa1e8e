# SPDX-License-Identifier: MIT
"""--help of each program fits on a screen, 24 lines of 80 columns; wrong use is answered by the program's name, what
was wrong, and where to read on, with code 2."""
import pathlib
import re
import subprocess

from lib import CTL, INIT, SIDECAR, check, contains, equal

LINES, COLUMNS, VERB_COLUMNS = 24, 80, 100
WRONG = (
    (SIDECAR, ["--nonesuch"], "--nonesuch"),
    (SIDECAR, ["--listen"], "--listen"),
    (SIDECAR, ["nonesuch"], '"nonesuch": the commands are resolve, probe, wait and health'),
    (SIDECAR, ["probe"], "probe: takes one target, not 0"),
    (SIDECAR, ["probe", "a:1", "b:1"], "probe: takes one target, not 2"),
    (SIDECAR, ["wait"], "wait: takes one target or more, at most 1024, not 0"),
    (INIT, ["--nonesuch"], "--nonesuch"),
    (INIT, ["--chdir"], "--chdir needs a value"),
    (CTL, ["--nonesuch"], "unknown option --nonesuch"),
    (CTL, ["start"], "the name of a service is needed"),
)


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, check=False)


def verbs(text):
    return re.findall(r"(?m)^  ([a-z]+) ", text)


def check_help(*words, columns=COLUMNS):
    done = run(*words, "--help")
    lines = done.stdout.splitlines()
    equal((done.returncode, done.stderr), (0, ""), f"{words}")
    check(0 < len(lines) <= LINES, f"{words}: {len(lines)} lines")
    equal([line for line in lines if len(line) > columns], [], f"{words}: long lines")
    return done.stdout


for program in (INIT, SIDECAR):
    check_help(program)
found = verbs(check_help(CTL))
check(len(found) > 10, f"verbs {found}")
for verb in found:
    contains(check_help(CTL, verb, columns=VERB_COLUMNS), f"usage: musterctl {verb}", verb)
for program, words, why in WRONG:
    done = run(program, *words)
    name = pathlib.Path(program).name
    equal((done.returncode, done.stdout), (2, ""), f"{name} {words}: {done.stderr}")
    check(done.stderr.startswith(f"{name}: "), f"{words}: {done.stderr}")
    contains(done.stderr, why, f"{words}")
    contains(done.stderr, f"{name} --help", f"{words}")
