# SPDX-License-Identifier: MIT
"""`ONCE=1 make demo STACK=reference` starts 84 services on two hosts, and ends them in order with nobody killed."""

import os
import re
import subprocess
import tempfile

from lib import BUILD, ROOT, check, contains, equal, matches, need


def run_demo(directory, **env):
    return subprocess.run([ROOT / "scripts/demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=110,
                          env=os.environ | {"MUSTER_BUILD": str(BUILD), "TMPDIR": directory, "STACK": "reference"} | env)


def check_output(text):
    equal(len(re.findall(r"^all \d+ services ready after", text, re.M)), 2, "hosts that were ready as a whole")
    states = re.findall(r"^([\w-]+) +(\w+) +\d+ +\S+ +0(?!.*of muster itself)", text, re.M)
    equal((len(states), {state for _, state in states}), (84, {"ready"}), "services in the tables, without a restart")
    foreign = re.findall(r"^((?:mainpc|pc2)/[\w-]+) +(\w+)", text, re.M)
    equal((bool(foreign), {state for _, state in foreign}), (True, {"ready"}), "services of the other host, waited for")
    for host in ("mainpc", "pc2"):
        matches(text, rf"^Dashboard of {host}: http://127\.0\.0\.1:\d+/$", "URL")
    matches(text, r"^84 services\. Their delays: 7\.\d s one after another, 0\.9 s along", "what it would take")
    equal(len(re.findall(r"exit code 0;.*none had to be killed$", text, re.M)), 2, "last words with nobody killed")
    equal(text.splitlines()[-1], "Everything went as it should, and nothing is left behind.", "last line")


def main():
    for program in ("redis-server", "nginx", "curl"):
        need(program)
    with tempfile.TemporaryDirectory(prefix="md-") as directory:
        os.chmod(directory, 0o755)  # or the demo, as root, would lie elsewhere
        result = run_demo(directory, ONCE="1", SCALE="0.1")
        check(result.returncode == 0, f"exit code {result.returncode}:\n{result.stdout}")
        check_output(result.stdout)
        equal(os.listdir(directory), [], "files left")
        result = run_demo(directory, SCALE="much")
        equal(result.returncode, 1, "exit code of a scale that is none")
        contains(result.stdout, "SCALE='much': a number", "what is said of it")


main()
