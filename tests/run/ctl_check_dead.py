# SPDX-License-Identifier: MIT
"""--check and musterctl check warn of programs and directories that are not there or not for the user, with their line;
with --strict these are errors; a start does not look for them."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from lib import CTL, INIT, IS_ROOT, Init, equal

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="muster-test-"))
ENV = {"PATH": f"{FOLDER}/bin:/usr/bin:/bin", "MUSTER_RUN_DIR": str(FOLDER / "run")}

CONFIG = """[service:a]
command = nonesuch-program x
pre_start = {dir}/none
stop_command = {dir}/plain
post_stop = {dir}/bin
readiness_probe = exec:{dir}/bin/script
working_dir = {dir}/gone
log = file:{dir}/logs/a.log
[service:b]
command = own
environment = PATH={dir}/other
[service:c]
command = true
working_dir = {dir}/plain
[service:good]
command = own -x
working_dir = {dir}/other
pre_start = ./own
log = file:{dir}/b.log
"""
WARNINGS = [
    r'2: \[service:a\] command: "nonesuch-program": there is no such program in its PATH on this machine \(.*/bin:/bin\); ',
    r'3: \[service:a\] pre_start: ".*/none": there is no such program on this machine',
    r'4: \[service:a\] stop_command: ".*/plain": not executable on this machine; ',
    r'5: \[service:a\] post_stop: ".*/bin": a directory on this machine; ',
    r'6: \[service:a\] readiness_probe: ".*/script": its first line names /none/sh, which is not on this machine',
    r'7: \[service:a\] working_dir: ".*/gone": there is no such directory on this machine; ',
    r'8: \[service:a\] log: ".*/a\.log": there is no directory .*/logs on this machine',
    r'14: \[service:c\] working_dir: ".*/plain": not a directory on this machine',
]
FOREIGN = """[service:a]
command = {dir}/closed/own
user = 12345
[service:b]
command = {dir}/bin/own
working_dir = {dir}/closed
user = 12345
[service:c]
command = {dir}/bin/mine
user = 12345
group = 12346
[service:d]
command = {dir}/bin/mine
user = 12345
group = 12347
[service:e]
command = {dir}/bin/theirs
user = 12345
[service:f]
command = {dir}/bin/own
working_dir = {dir}/closed/inner
user = daemon
[service:g]
command = {dir}/bin/mine
working_dir = {dir}/closed
user = root
"""
FOREIGN_WARNINGS = [
    r'2: \[service:a\] command: ".*": user 12345 may not enter .*/closed on this machine',
    r'6: \[service:b\] working_dir: ".*": user 12345 may not enter it on this machine',
    r'9: \[service:c\] command: ".*/mine": user 12345 may not execute it on this machine',
    r'17: \[service:e\] command: ".*/theirs": user 12345 may not execute it on this machine',
    r'21: \[service:f\] working_dir: ".*/inner": user daemon may not enter .*/closed on this machine',
]


def run(*words):
    result = subprocess.run(list(map(str, words)), env=ENV, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


def make(name, text, mode):
    path = FOLDER / name
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o755)
    path.write_text(text)
    path.chmod(mode)
    return path


def warned(config, expected):
    path = make("muster.ini", config.replace("{dir}", str(FOLDER)), 0o644)
    for command in ([INIT, "--check", "-c", path], [CTL, "check", path]):
        code, out, said = run(*command)
        equal((code, out), (0, "ok\n"), f"exit code and output, with {said}")
        lines = [line for line in said.splitlines() if line.startswith("warning: ")]
        equal(len(lines), len(expected), f"warnings: {said}")
        for line, pattern in zip(lines, expected):
            equal(bool(re.match(rf"warning: {re.escape(str(path))}:{pattern}", line)), True, f"{line!r} is {pattern!r}")
        code, out, said = run(*command[:2], "--strict", *command[2:])
        word = "warnings" if len(expected) > 1 else "warning"
        equal((code, out), ((78 if command[0] == INIT else 1) if expected else 0, "" if expected else "ok\n"), "with --strict")
        equal(f"{len(expected)} {word} in the configuration" in said, bool(expected), f"the last line: {said}")
    return path


try:
    FOLDER.chmod(0o755)
    make("plain", "x", 0o644)
    make("bin/script", "#! /none/sh -e\n", 0o755)
    make("bin/own", "#!/bin/sh\n", 0o755)
    make("other/own", "#!/bin/sh\n", 0o755)
    warned(CONFIG, WARNINGS)
    warned("[service:a]\ncommand = own\n", [])
    if IS_ROOT:
        make("closed/own", "#!/bin/sh\n", 0o755)
        (FOLDER / "closed").chmod(0o700)
        (FOLDER / "closed/inner").mkdir()
        make("bin/mine", "#!/bin/sh\n", 0o710)
        own = make("bin/theirs", "#!/bin/sh\n", 0o077)
        os.chown(own, 12345, 0)
        os.chown(FOLDER / "bin/mine", 0, 12347)
        warned(FOREIGN, FOREIGN_WARNINGS)
    equal(run(INIT, "--strict", "--", "true")[0], 2, "--strict alone")
finally:
    shutil.rmtree(FOLDER)

with Init(config="[service:a]\ncommand = true\nworking_dir = /nonesuch\nessential = no\n") as init:
    init.wait_line("a: failed: ")
    equal("warning: " in init.stderr, False, f"what is said at a start: {init.stderr}")
