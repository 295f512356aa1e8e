# SPDX-License-Identifier: MIT
"""The runtime directory must be a directory that only init's user or root can write to; else there is no socket, said once."""
import os
import shutil
import signal
import threading

from lib import INIT, IS_ROOT, Init, check, equal, need, tool, until

M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} forever\n"
NONE = "no status page and no control socket"


def refused(prepare, complaint):
    run = Init(config=CONFIG)
    prepare(run)
    before = sorted(os.listdir(run.dir))
    with run as init:
        init.wait_line("all ready after")
        init.wait_line(f"warning: cannot use .*/run: {complaint}: {NONE}$")
        equal(init.ctl("stop", "web").returncode, 6, "exit code of musterctl stop")
        equal(sorted(set(os.listdir(run.dir)) - {"stdout", "stderr"}), before, "files beside it")
        init.signal(15)
        equal(init.wait(), 0, "exit code")
        equal(init.stderr.count("warning:"), 1, f"warnings: {init.stderr}")


def with_mode(mode, content=None):
    def prepare(run):
        run.run_dir.mkdir()
        if content:
            (run.run_dir / content).touch()
        run.run_dir.chmod(mode)
    return prepare


def as_link(run):
    (run.dir / "target").mkdir()
    run.run_dir.symlink_to(run.dir / "target")


def of_stranger(run):
    run.run_dir.mkdir()
    os.chown(run.run_dir, 4321, 4321)


refused(as_link, "Not a directory")
refused(lambda run: os.mkfifo(run.run_dir), "Not a directory")
refused(lambda run: run.run_dir.touch(), "Not a directory")
for mode in (0o777, 0o1777, 0o770, 0o2775):
    refused(with_mode(mode, "somebody's"), r"others may write to it \(name a directory in it, .*\)")
if IS_ROOT:
    refused(of_stranger, "it belongs to another user")

# empty and init's own, as a volume is at first: it is closed to others, and used
for mode, after in ((0o777, 0o755), (0o1777, 0o1755), (0o770, 0o750)):
    run = Init(config=CONFIG)
    with_mode(mode)(run)
    with run as init:
        init.wait_line("all ready after")
        equal(run.run_dir.stat().st_mode & 0o7777, after, f"mode of what was {mode:o}")
        equal(init.ctl("stop", "web").returncode, 0, "exit code of musterctl stop")

# root's with the sticky bit, as a tmpfs is: used by another user while it holds nothing of somebody else's
if IS_ROOT:
    need("setpriv")
    run = Init(config=CONFIG.replace(M, "{dir}/misbehave"),
               prefix=["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups"])
    shutil.copy(INIT, run.path("muster-init"))
    shutil.copy(M, run.path("misbehave"))
    run.program = run.path("muster-init")
    with_mode(0o1777)(run)
    with run as init:
        init.wait_line("all ready after")
        equal(init.ctl("stop", "web").returncode, 0, "exit code of musterctl stop")
        os.kill(init.pid, signal.SIGKILL)
        init.wait()
        check(os.listdir(init.run_dir), "files that init has left")
        init.start()
        until(lambda: init.ctl("restart", "web").returncode == 0, "it is used again")
        os.kill(init.pid, signal.SIGKILL)
        init.wait()
        (init.run_dir / "somebody's").touch()
        init.start()
        init.wait_line("others may write to it")

# somebody puts a link to another place in the directory's place, again and again, while init starts
for _ in range(10):
    run = Init(config=CONFIG)
    run.run_dir.mkdir()
    other = run.dir / "other"
    other.mkdir()
    stop = threading.Event()

    def swap(path=run.run_dir, aside=run.dir / "aside", link=run.dir / "link", target=other, end=stop):
        while not end.is_set():
            link.symlink_to(target)
            path.rename(aside)
            link.rename(path)
            path.unlink()
            aside.rename(path)

    thread = threading.Thread(target=swap)
    thread.start()
    with run as init:
        init.wait_line("all ready after")
        stop.set()
        thread.join()
        equal(os.listdir(other), [], "what is in the other directory")
        init.signal(15)
        equal(init.wait(), 0, "exit code")
        equal(os.listdir(other), [], "what is in the other directory afterwards")
