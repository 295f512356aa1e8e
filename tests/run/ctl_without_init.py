# SPDX-License-Identifier: MIT
"""check, graph and resolve read the configuration by init's rules and need no init."""
import json
import os
import pathlib
import subprocess
import tempfile

from lib import CTL, INIT, contains, equal

GOOD = """
[muster]
name = here
mode = container
[service:web]
command = web
depends_on = api, ?cache:started
[service:api]
command = api
depends_on = job
[service:job]
type = oneshot
command = job
[service:cache]
command = cache
[address:db]
port = 5432
development = 192.0.2.7
container = db.internal, [2001:db8::1]
[address:lost]
port = 1
testing = 127.0.0.1
"""


def ctl(*words, **env):
    return subprocess.run([CTL, *words], capture_output=True, text=True, check=False, timeout=20,
                          env={"PATH": os.environ["PATH"], "MUSTER_RUN_DIR": "/nonexistent"} | env)


with tempfile.TemporaryDirectory(prefix="muster-test-") as directory:
    good = pathlib.Path(directory, "good.ini")
    good.write_text(GOOD)
    bad = pathlib.Path(directory, "bad.ini")
    bad.write_text("[service:a]\ncommand = a\ndepends_on = b\n[service:b]\ncommand = b\ndepends_on = a\nspeed = 3\n")
    good, bad = str(good), str(bad)

    for result in (ctl("check", good), ctl("check", "-c", good), ctl("-c", good, "check"),
                   ctl("check", MUSTER_CONFIG=good)):
        equal((result.returncode, result.stdout), (0, "ok\n"), "check of a good file")
        # its programs are none of this machine
        equal([line for line in result.stderr.splitlines() if " on this machine" not in line], [], "what is said of it")
    result = ctl("check", bad)
    equal((result.returncode, result.stdout), (1, ""), "check of a bad file")
    by_init = subprocess.run([INIT, "-n", "-c", bad], capture_output=True, text=True, check=False)
    equal(by_init.returncode, 78, "exit code of muster-init --check")
    for line in result.stderr.splitlines()[:-1]:
        contains(by_init.stderr + by_init.stdout, line, "init says the same")
    contains(result.stderr, "bad.ini:7: [service:b] speed", "an error")
    contains(result.stderr, "a -> b -> a", "the cycle")
    equal(ctl("check", "/nonexistent.ini").returncode, 1, "check of no file")

    expected = ["job", "cache", "api    job:completed", "web    api:started, ?cache:started"]
    for result in (ctl("graph", "-c", good), ctl("graph", MUSTER_CONFIG=good)):
        equal((result.returncode, sorted(result.stdout.splitlines())), (0, sorted(expected)), "graph")
        equal(result.stdout.splitlines()[-1], expected[-1], "what depends on all comes last")
    equal(ctl("graph", "-c", bad).returncode, 1, "graph of a bad file")

    equal(ctl("resolve", "-c", good, "db").stdout, "db.internal:5432\n", "an address")
    equal(ctl("resolve", "-c", good, "--mode", "development", "db").stdout, "192.0.2.7:5432\n", "in another mode")
    equal(ctl("resolve", "-c", good, "db", DB_URL="postgres://far:1234/x").stdout, "far:1234\n", "by a variable")
    equal(ctl("resolve", "-c", good, "nobody").returncode, 3, "an unknown address")
    result = ctl("resolve", "-c", good, "lost")
    equal((result.returncode, result.stdout), (1, ""), "one that has none in this mode")
    data = json.loads(ctl("resolve", "-c", good, "--json", "db").stdout)
    equal((data["host"], data["port"], data["mode"]), ("db.internal", 5432, "container"), "as JSON")
    equal(data["addresses"], ["db.internal:5432", "[2001:db8::1]:5432"], "all of it as JSON")
    every = json.loads(ctl("resolve", "-c", good, "--json").stdout)
    equal([(a["name"], a["host"]) for a in every], [("db", "db.internal"), ("lost", None)], "all addresses")
    contains(ctl("resolve", "-c", good).stdout, "db.internal:5432", "the table")
