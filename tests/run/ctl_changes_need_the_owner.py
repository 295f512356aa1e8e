# SPDX-License-Identifier: MIT
"""Everybody who reaches the directory may look; changing needs user 0 or the user of muster-init."""
import shutil
import subprocess

from lib import CTL, Init, contains, equal, need, need_root, tool

need_root()
need("setpriv")
M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} print hello forever\n"


def ctl_as(init, uid, *args):
    return subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", init.path("musterctl"), *args],
                          env=init.env, capture_output=True, text=True, timeout=20, check=False)


def copy_programs(run):
    """Where the user of the test may not look into the tree that was built."""
    shutil.copy(CTL, run.path("musterctl"))


run = Init(config=CONFIG)
copy_programs(run)
with run as init:
    init.wait_line("hello", "stdout")
    pid = init.services()["web"]["pid"]
    for args in (["start", "web"], ["stop", "web"], ["restart", "web"], ["signal", "web", "KILL"], ["reload"], ["shutdown"]):
        result = ctl_as(init, 4321, *args)
        equal(result.returncode, 5, f"exit code of {args[0]} for another user")
        contains(result.stderr, "4321", f"what {args[0]} says")
    for args in (["status"], ["logs"], ["health"], ["wait"]):
        equal(ctl_as(init, 4321, *args).returncode, 0, f"exit code of {args[0]} for another user")
    contains(ctl_as(init, 4321, "logs").stdout, "hello", "logs for another user")
    equal(init.services()["web"]["pid"], pid, "the process")
    equal(ctl_as(init, 0, "restart", "web").returncode, 0, "exit code of restart for root")

# an init that is not root: its own user may, and root
run = Init(config=CONFIG, prefix=["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups", "--no-new-privs"])
copy_programs(run)
for program in (run.program, M):
    shutil.copy(program, run.path(program.rpartition("/")[2]))
run.program = run.path("muster-init")
run.write("muster.ini", CONFIG.replace(M, run.path("misbehave")))
run.run_dir.mkdir()
shutil.chown(run.run_dir, 4321)
with run as init:
    init.wait_line("hello", "stdout")
    equal(ctl_as(init, 1234, "stop", "web").returncode, 5, "exit code for another user")
    equal(ctl_as(init, 4321, "restart", "web").returncode, 0, "exit code for its own user")
    equal(ctl_as(init, 0, "shutdown").returncode, 0, "exit code for root")
    equal(init.wait(), 0, "exit code of muster-init")
