# SPDX-License-Identifier: MIT
"""Wrong use is exit code 2 and a sentence; help fits a screen and goes to stdout."""

import os
import re
import subprocess

from lib import CTL, check, contains, equal


def ctl(*words):
    env = {"PATH": os.environ["PATH"], "MUSTER_RUN_DIR": "/nonexistent"}
    return subprocess.run([CTL, *words], env=env, capture_output=True, text=True, check=False)


WRONG = [
    ([], "a verb is needed"), (["statsu"], "did you mean 'status'"), (["frobnicate"], "unknown verb"),
    (["--nope"], "unknown option --nope"), (["status", "--nope"], "unknown option --nope"),
    (["start"], "name of a service is needed"), (["signal"], "name of a service"),
    (["signal", "web", "BOGUS"], "'BOGUS' is no signal"), (["signal", "web", "HUP", "x"], "at most one signal"),
    (["reload", "web"], "takes no names"), (["shutdown", "web"], "takes no names"),
    (["health", "--live", "--ready"], "at most one"), (["timeline", "--format", "png"], "'png'"),
    (["graph", "--format", "png"], "'png'"), (["resolve", "a", "b"], "at most one name"),
    (["resolve", "--mode", "moon"], "'moon'"), (["wait", "--timeout", "soon"], "a duration such as"),
    (["logs", "-n", "many"], "a number"), (["logs", *["x"] * 63], "more than 62 names"),
    (["check", "-c", "a", "b"], "either"), (["top", "x"], "takes no names"), (["status", "--run-dir"], "needs a value"),
    (["help", "statsu"], "did you mean 'status'"),
]
for words, part in WRONG:
    result = ctl(*words)
    equal(result.returncode, 2, f"exit code of {words}")
    contains(result.stderr, part, f"what is said to {words}")
    equal(result.stdout, "", f"stdout of {words}")

result = ctl("--help")
equal((result.returncode, result.stderr), (0, ""), "exit code and stderr of --help")
lines = result.stdout.splitlines()
check(len(lines) <= 36 and max(map(len, lines)) <= 80, f"{len(lines)} lines, {max(map(len, lines))} columns")
verbs = re.findall(r"^  ([a-z]+) ", result.stdout, re.M)
for verb in "status start stop restart signal reload check graph timeline logs wait resolve events health top shutdown".split():
    check(verb in verbs, f"{verb} is listed")
    result = ctl(verb, "--help")
    equal((result.returncode, result.stderr), (0, ""), f"{verb} --help")
    contains(result.stdout, f"usage: musterctl {verb}", f"{verb} --help")
equal(ctl("help", "status").stdout, ctl("status", "--help").stdout, "help before a verb")
check(re.fullmatch(r"musterctl \d+\.\d+\.\d+\n", ctl("--version").stdout), "--version")
with open("/dev/full", "w", encoding="ascii") as full:
    code = subprocess.run([CTL, "--help"], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode
equal(code, 1, "exit code when the output cannot be written")
