# SPDX-License-Identifier: MIT
"""`ONCE=1 make demo` starts the whole stack in order, shows it, stops it and leaves nothing behind."""

import os
import re
import subprocess
import tempfile

from lib import BUILD, ROOT, check, contains, equal, matches, need

SERVICES = re.findall(r"^\[service:(\w+)\]", (ROOT / "demo/muster.ini").read_text(), re.M)


def run_demo(directory, **env):
    return subprocess.run([ROOT / "scripts/demo"], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=110,
                          env=os.environ | {"MUSTER_BUILD": str(BUILD), "TMPDIR": directory} | env)


def check_output(text):
    lines = text.splitlines()
    matches(text, r"PID 1 of its own PID namespace|as a subreaper", "where it ran")
    contains(text.lower(), "critical path", "timeline")
    for name in SERVICES:
        state = {"telemetry": "failed", "prepare": "completed", "smoke": "completed"}.get(name)
        matches(text, rf"\b{name}\b.*\b{state or '(ready|running)'}\b", "status table")
    matches(text, r"^Dashboard: http://127\.0\.0\.1:\d+/$", "URL")
    contains(text, "answers: MUSTER retsum", "what the stack says when asked")
    equal(lines[-1], "Everything went as it should, and nothing is left behind.", "last line")


def main():
    for program in ("redis-server", "redis-cli", "nginx", "curl"):
        need(program)
    with tempfile.TemporaryDirectory(prefix="md-") as directory:
        os.chmod(directory, 0o755)  # or the demo, as root, would lie elsewhere
        result = run_demo(directory, ONCE="1")
        check(result.returncode == 0, f"exit code {result.returncode}:\n{result.stdout}{result.stderr}")
        check_output(result.stdout)
        equal(os.listdir(directory), [], "files left")
        result = run_demo(directory, STACK="none")
        equal(result.returncode, 2, "exit code of a stack that does not exist")


main()
