# SPDX-License-Identifier: MIT
"""A muster-init that is not root supervises as well, as what it is; its own user and root may change things."""
import shutil
import subprocess

from lib import CTL, INIT, Init, equal, need, need_root, tool

need_root()
need("setpriv")
M = tool("misbehave")
CONFIG = """
[service:db]
command = {dir}/misbehave notify READY=1 forever
readiness_probe = notify
[service:web]
command = {dir}/misbehave identity {dir}/out/web forever
user = 4321
depends_on = db
"""


def ctl_as(init, uid, *args):
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", init.path("musterctl"), *args]
    return subprocess.run(command, env=init.env, capture_output=True, timeout=20, check=False).returncode


run = Init(config=CONFIG, prefix=["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups",
                                  "--bounding-set=-all", "--no-new-privs"])
# where that user may look: perhaps not into the tree that was built
for program in (INIT, CTL, M):
    shutil.copy(program, run.dir)
run.program = run.path("muster-init")
for directory in ("run", "out"):
    (run.dir / directory).mkdir()
    shutil.chown(run.dir / directory, 4321)
# it begins in a directory that is closed to it, and stays there
(run.dir / "closed").mkdir(0o700)
run.popen_options["cwd"] = run.dir / "closed"
with run as init:
    init.wait_line("all ready after")
    web = init.json("out/web")
    status = web["status"]
    equal(web["cwd"], init.path("closed"), "its working directory")
    equal((status["Uid"].split(), status["CapBnd"]), (["4321"] * 4, "0" * 16), "the service")
    equal(ctl_as(init, 1234, "stop", "web"), 5, "exit code for another user")
    equal(ctl_as(init, 4321, "restart", "web"), 0, "exit code for its own user")
    equal(ctl_as(init, 0, "restart", "web"), 0, "exit code for root")
    init.signal(15)
    equal(init.wait(), 0, "exit code")

# another user than its own it cannot become: an error, never the wrong user
run = Init(config=CONFIG.replace("user = 4321", "user = 1234"), prefix=run.prefix)
for program in (INIT, M):
    shutil.copy(program, run.dir)
run.program = run.path("muster-init")
with run as init:
    equal(init.wait(), 78, "exit code for another user")
    init.wait_line(r"\[service:web\] user: .*needs root")
    equal(init.read("out/web"), "", "the service")
