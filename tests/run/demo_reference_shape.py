# SPDX-License-Identifier: MIT
"""The reference stack is what it is said to be, the same each time it is made, and a configuration that is right."""

import collections
import os
import subprocess
import sys
import tempfile

from lib import INIT, ROOT, check, equal

REFERENCE = ROOT / "demo/reference"
sys.path.insert(0, str(REFERENCE))
import generate

HOSTS = {"mainpc": 58, "pc2": 26}


def generate_files(folder, what, seed):
    """All that the program writes, by name."""
    subprocess.run([sys.executable, REFERENCE / "generate.py", what, folder], check=True,
                   env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"})
    return {str(path.relative_to(folder)): path.read_text()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def check_shape(stack):
    equal(len(stack), 84, "services")
    equal(collections.Counter(each.host for each in stack), HOSTS, "services by host")
    equal({each.layer for each in stack}, set(range(8)), "layers")
    for what in ("key", "name", "port"):
        equal(len({getattr(each, what) for each in stack}), 84, f"different ones of: {what}")
    kinds = collections.Counter(each.kind for each in stack)
    equal(kinds, {"redis": 1, "nginx": 1, "python": 5, "agent": 77}, "kinds")


def check_order(stack):
    """Whoever is needed comes before, which no cycle allows; and hosts need each other."""
    layers = {}
    over = set()
    for each in stack:
        for key in each.need_keys():
            check(layers[key] < each.layer, f"{each.key} needs {key} of its own layer or a later one")
            if not key.startswith(f"{each.host}/"):
                over.add(each.host)
        check(each.needs or each.layer == 0, f"{each.key} needs nothing")
        layers[each.key] = each.layer
    equal(over, set(HOSTS), "hosts that need the other")


def check_delays(stack):
    total = sum(each.delay for each in stack)
    longest = generate.critical_path(stack)
    check(5 * longest < total, f"critical path {longest} ms of {total} ms")
    apart = generate.critical_path(generate.services(generate.Setting(peers=False)))
    check(apart < longest, f"the critical path, {longest} ms, does not go from host to host")
    tenth = generate.services(generate.Setting(scale=0.1))
    check(abs(sum(each.delay for each in tenth) - total / 10) < len(stack), "a tenth of the delays")


def check_files():
    for what, names in (("compose", {"compose.yaml"}), ("pods", {"pods.yaml"}), ("ini", set())):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            found = generate_files(type(ROOT)(one), what, "1")
            equal(found, generate_files(type(ROOT)(two), what, "2"), f"what is made for {what} a second time")
        if what != "pods":
            names |= {"mainpc/muster.ini", "mainpc/nginx.conf", "pc2/muster.ini"}
        equal(set(found), names, f"files made for {what}")


def check_configuration(setting):
    stack = generate.services(setting)
    for host, count in HOSTS.items():
        text = generate.muster_ini(host, stack, setting)
        equal(text.count("[service:"), count, f"sections of {host}")
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write(text)
            file.flush()
            result = subprocess.run([INIT, "-n", "-c", file.name], capture_output=True, text=True, check=False)
        equal((result.returncode, result.stdout), (0, "ok\n"), f"check of {host}: {result.stderr}")


check_shape(generate.services())
check_order(generate.services())
check_delays(generate.services())
check_files()
check_configuration(generate.Setting())
