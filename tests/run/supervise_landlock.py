# SPDX-License-Identifier: MIT
"""read_only and writable hold whatever the user may do; scripts and dynamic programs still run; a bad path is named."""
import ctypes
import json
import os
import pathlib
import sys

from lib import Init, check, contains, equal, skip

if ctypes.CDLL(None).syscall(444, None, 0, 1) < 5:
    skip("this kernel has no Landlock, or less than version 5")

# what the service tries, and what came of it
PROBE = r'''#!{python}
import ctypes, errno, fcntl, json, os, subprocess, sys
here = "{dir}"
def attempt(function, *args):
    try:
        result = function(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    if function is os.open:
        os.close(result)
    return "ok"
def run(*words):
    return subprocess.run(words, stdout=subprocess.DEVNULL).returncode
data, other = here + "/data", here + "/other"
R, W, C = os.O_RDONLY, os.O_WRONLY, os.O_WRONLY | os.O_CREAT
found = {
    "read other": attempt(os.open, other + "/file", R),
    "list other": attempt(os.listdir, other),
    "write other": attempt(os.open, other + "/file", W),
    "create other": attempt(os.open, other + "/new", C),
    "truncate other": attempt(os.truncate, other + "/file", 0),
    "unlink other": attempt(os.unlink, other + "/file"),
    "mkdir other": attempt(os.mkdir, other + "/folder"),
    "execute other": attempt(run, other + "/true"),
    "move out": attempt(os.rename, data + "/out", other + "/out"),
    "create data": attempt(os.open, data + "/new", C),
    "append data": attempt(os.open, data + "/new", W | os.O_APPEND),
    "truncate data": attempt(os.truncate, data + "/new", 0),
    "move data": attempt(os.rename, data + "/new", data + "/below/new"),
    "unlink data": attempt(os.unlink, data + "/below/new"),
    "read own": attempt(os.open, __file__, R),
    "write own": attempt(os.open, __file__, W),
    "execute": attempt(run, "/usr/bin/env", "true"),
    "shell": attempt(run, "/bin/sh", "-c", "true >/dev/null"),
    "null": attempt(os.open, "/dev/null", W | os.O_TRUNC),
    "urandom": attempt(os.open, "/dev/urandom", R),
    "inherited": attempt(os.write, 1, b"said by the service\n"),
}
with open(data + "/result.new", "w") as out:
    json.dump(found, out)
os.rename(data + "/result.new", data + "/result")
'''
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
READ = "/usr, /bin, /lib, ?/lib64, /etc" + ("" if PYTHON.startswith("/usr/") else f", {sys.base_prefix}")


def outcome(keys, user=""):
    """What the probe found; the keys are those of its service."""
    config = f"[service:probe]\ntype = oneshot\ncommand = {{dir}}/bin/probe\n{user}{keys}\n"
    run = Init(config=config)
    for name in ("data/below", "other", "bin"):
        (run.dir / name).mkdir(parents=True)
    for name in ("other/file", "data/out"):
        run.write(name, "content", 0o666)
    (run.dir / "other/true").write_bytes(pathlib.Path("/bin/true").read_bytes())
    (run.dir / "other/true").chmod(0o755)
    run.write("bin/probe", PROBE.replace("{python}", PYTHON).replace("{dir}", str(run.dir)), 0o755)
    for name in ("data", "data/below", "other"):
        (run.dir / name).chmod(0o777)
    with run as init:
        found = json.loads(init.wait_file("data/result"))
        equal(init.wait(), 0, "exit code")
        contains(init.stdout, "said by the service", "stdout")
        return found


def compare(found, wanted, what):
    for name, result in wanted.items():
        equal(found[name], result, f"{what}: {name}")


CHANGES = ("write other", "create other", "truncate other", "unlink other", "mkdir other", "write own", "move out")
READS = ("read other", "list other", "execute other")
ALWAYS = ("create data", "append data", "truncate data", "move data", "unlink data", "read own", "execute", "shell",
          "null", "urandom", "inherited")

free = outcome("")
compare(free, {name: "ok" for name in free}, "without keys")
free = outcome("writable = {dir}/data\nlandlock = off")
compare(free, {name: "ok" for name in free}, "landlock = off")

for mode in ("", "\nlandlock = require"):
    found = outcome("writable = {dir}/data" + mode)
    compare(found, dict.fromkeys(CHANGES, "EACCES") | dict.fromkeys(READS + ALWAYS, "ok"), "writable alone")
    found = outcome("read_only = {dir}/bin, " + READ + "\nwritable = {dir}/data" + mode)
    compare(found, dict.fromkeys(CHANGES + READS, "EACCES") | dict.fromkeys(ALWAYS, "ok"), "both")
if os.geteuid() == 0:
    found = outcome("read_only = {dir}/bin, " + READ + "\nwritable = {dir}/data", "user = 4321\n")
    compare(found, dict.fromkeys(CHANGES + READS, "EACCES") | dict.fromkeys(ALWAYS, "ok"), "as another user")

# a path that is not there is an error that names it, unless it may be missing
CONFIG = "[service:web]\ncommand = /bin/true\nrestart = no\nwritable = {dir}/run"
with Init(config=CONFIG + ", /no/such/path\n") as init:
    equal(init.wait(), 77, "exit code")
    init.wait_line("error: web: failed: cannot start true: landlock: /no/such/path: No such file or directory")
with Init(config=CONFIG + ", ?/no/such/path\nlandlock = require\ntype = oneshot\n") as init:
    equal(init.wait(), 0, "exit code")
    check("andlock" not in init.stderr, "nothing is said of Landlock where all is well")
