# SPDX-License-Identifier: MIT
"""Where the runtime directory cannot be written muster-init says so once and supervises without page and socket."""
import shutil

from lib import INIT, IS_ROOT, Init, equal, need, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:db]
command = {M} notify READY=1 forever
readiness_probe = notify
[service:web]
command = {M} pid {{dir}}/web await {{dir}}/crash exit 1
restart_backoff = 1ms..1ms
restart_limit = 100000/60s
depends_on = db
"""


def supervises(run, complaint):
    with run as init:
        until(lambda: init.read("web").count("\n") == 1, "web runs")
        init.write("crash", "")
        until(lambda: init.read("web").count("\n") >= 2, "web is started again")
        (init.dir / "crash").unlink()
        init.wait_line(complaint)
        init.signal(1)
        init.wait_line("reload: nothing changed")
        init.signal(15)
        equal(init.wait(), 0, "exit code")
        equal(init.stderr.count("warning: cannot ") + init.stderr.count("is no absolute path"), 1, "how often it is said")
        equal([p.name for p in init.dir.glob("run/*")] + [p.name for p in init.dir.glob("run/.*")], [], "files left")


supervises(Init(config=CONFIG, env={"MUSTER_RUN_DIR": "/proc/muster"}), "cannot use /proc/muster: .*: no status page")
supervises(Init(config=CONFIG, env={"MUSTER_RUN_DIR": "relative"}), 'MUSTER_RUN_DIR "relative" is no absolute path')
run = Init(config=CONFIG)
run.write("run", "a file")
run_dir = run.run_dir
with run as init:
    init.wait_line(f"cannot use {run_dir}: Not a directory")
    init.wait_file("web")

if IS_ROOT:
    # a directory of somebody else
    need("setpriv")
    run = Init(prefix=["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups"],
               config=CONFIG.replace(M, "{dir}/misbehave"))
    shutil.copy(INIT, run.path("muster-init"))
    shutil.copy(M, run.path("misbehave"))
    run.program = run.path("muster-init")
    run.run_dir.mkdir()
    run.write("web", "", mode=0o666)
    supervises(run, "cannot use .*/run: Permission denied")
    # and read-only; too full for a page; too full for the socket
    need("mount")
    for options, complaint in (("ro", "cannot use .*/run: Read-only file system: no status page"),
                               ("nr_inodes=1", "cannot use .*/run: No space left on device: no status page"),
                               ("nr_inodes=2", "cannot open .*/control.sock: No space left on device")):
        run = Init(config=CONFIG, prefix=["sh", "-c", f'mount -t tmpfs -o mode=755,{options} none "$0/run" && exec "$@"', "{dir}"])
        run.run_dir.mkdir()
        supervises(run, complaint)
