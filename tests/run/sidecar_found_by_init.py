# SPDX-License-Identifier: MIT
"""Which muster-sidecar is started and as whom: the one that is named, the one beside init, or one of the usual places;
where there is none, or no such user, nothing starts, and a line says so."""
import os
import shutil
import subprocess

from lib import INIT, SIDECAR, Init, check, equal, matches, need, need_root, proc_status, tool

need_root()
M = tool("misbehave")
SERVICE = f"[service:web]\ncommand = {M} pid {{dir}}/web forever\n"


def refused(sidecar, pattern, **options):
    with Init(config=f"[sidecar]\nlisten = 127.0.0.1:0\n{sidecar}\n{SERVICE}", **options) as init:
        equal(init.wait(), 78, f"exit code with {sidecar or options}")
        matches(init.stderr, pattern, f"what is said with {sidecar or options}")
        equal(init.read("web"), "", "nothing was started")


def runs_as(uid, sidecar="", **options):
    with Init(config=f"[sidecar]\nlisten = 127.0.0.1:0\n{sidecar}\n{SERVICE}", **options) as init:
        init.wait_line("all ready after")
        pid = init.outside(init.services()["muster-sidecar"]["pid"])
        equal(int(proc_status(pid)["Uid"].split()[0]), uid, "user of the sidecar")
        return init.stderr


runs_as(65532)
runs_as(4321, "user = 4321")
refused("program = /nonexistent/sidecar", r"need the program /nonexistent/sidecar")
refused("user = nobody-has-this-name", r"\[sidecar\] user: \"nobody-has-this-name\"")

# a copy of init has none beside it; the usual places are looked through, one after the other
alone = Init(config=f"[sidecar]\nlisten = 127.0.0.1:0\n{SERVICE}")
shutil.copy(INIT, alone.dir)
alone.program = alone.path("muster-init")
MOUNT = 'mount -t tmpfs none /usr/local/bin; eval "$1"; shift; exec "$@"'
HIDE = ["unshare", "--mount", "sh", "-c", MOUNT, "sh"]
alone.prefix = HIDE + ["for place in /usr/bin /usr/sbin /bin /sbin; do test ! -e $place/muster-sidecar || exit 77; done"]
with alone as init:
    equal(init.wait(), 78, "exit code with a copy of init alone")
    matches(init.stderr, r"need the program muster-sidecar, which is neither beside ", "what is said")
placed = Init(config=f"[sidecar]\nlisten = 127.0.0.1:0\n{SERVICE}")
shutil.copy(INIT, placed.dir)
placed.program = placed.path("muster-init")
placed.prefix = HIDE + [f"cp {SIDECAR} /usr/local/bin/muster-sidecar"]
with placed as init:
    init.wait_line("all ready after")
    pid = init.outside(init.services()["muster-sidecar"]["pid"])
    equal(os.readlink(f"/proc/{pid}/exe"), "/usr/local/bin/muster-sidecar", "the program")

# with a map of one user there is no other: the sidecar is what init is, unless another was asked for
need("unshare")
ONE = ["unshare", "--user", "--map-root-user"]
if subprocess.run([*ONE, "true"], capture_output=True, check=False).returncode == 0:
    said = runs_as(0, prefix=ONE)
    check("user 65532 does not exist in this user namespace" in said, said)
    refused("user = 4321", r"\[sidecar\] user: \"4321\" does not exist in this user namespace", prefix=ONE)
    with Init(config=f"[sidecar]\nlisten = 127.0.0.1:0\n{SERVICE}", prefix=ONE) as init:
        init.wait_line("all ready after")
        before = init.services()
        init.write("muster.ini", init.fill(f"[sidecar]\nlisten = 127.0.0.1:0\nuser = 4321\n{SERVICE}"))
        result = init.ctl("reload")
        check(result.returncode != 0 and "does not exist in this user namespace" in result.stdout + result.stderr, str(result))
        equal({name: one["pid"] for name, one in init.services().items()},
              {name: one["pid"] for name, one in before.items()}, "processes behind a reload that was refused")
