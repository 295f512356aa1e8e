# SPDX-License-Identifier: MIT
"""The control socket's name is taken from nobody else, the socket is made anew when it was deleted, and takes no descriptors."""
import array
import os
import pathlib
import re
import socket
import struct
import subprocess

from lib import DONE, IS_ROOT, PING, Init, check, contains, equal, need, open_files, tool, until

M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} forever\n"


def link(path):
    (path.parent / "target").write_text("untouched")
    path.symlink_to(path.parent / "target")


# what is no socket is left alone
for kind, make in (("a symbolic link", link), ("a FIFO", os.mkfifo), ("a directory", os.mkdir),
                   ("a file", pathlib.Path.touch)):
    run = Init(config=CONFIG)
    run.run_dir.mkdir()
    path = run.run_dir / "control.sock"
    make(path)
    before = path.lstat().st_ino
    with run as init:
        init.wait_line("all ready after")
        init.wait_line("warning: cannot open .*/control.sock: something that is no socket has this name")
        check(len(init.pids()) > 1, f"the service does not run, with {kind}")
        init.signal(15)
        equal(init.wait(), 0, "exit code")
        equal(path.lstat().st_ino, before, f"{kind} stays what it was")
        equal(init.read("run/target"), "untouched" if kind == "a symbolic link" else "", "what the link leads to")

# what an init that died has left is replaced, its half-made socket, too
run = Init(config=CONFIG)
run.run_dir.mkdir()
stale = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
stale.bind(str(run.run_dir / "control.sock"))
stale.listen()
stale.close()
link(run.run_dir / ".control.sock.new")
with run as init:
    init.wait_line("all ready after")
    equal(init.ctl("restart", "web").returncode, 0, "exit code of musterctl restart")
    equal(init.read("run/target"), "untouched", "what the link leads to")
    equal(init.stderr.count("warning:"), 0, "warnings")

# deleted, it comes back with the next reload; who is connected stays so
with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    with init.control() as control:
        path = init.run_dir / "control.sock"
        path.unlink()
        equal(init.ctl("stop", "web").returncode, 6, "exit code of musterctl stop without a socket")
        init.signal(1)
        init.wait_line("control.sock is gone: making it anew")
        init.wait_line("reload: nothing changed")
        equal(init.ctl("restart", "web").returncode, 0, "exit code of musterctl restart")
        equal(control.ask(PING)[0], DONE, "answer on the old connection")
    # and what has taken its place is not removed in the end
    path.unlink()
    path.touch()
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    check(path.exists(), "somebody else's file is removed")

with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    folder = pathlib.Path(f"/proc/{init.pid}/fd")

    # descriptors that come along are closed at once
    with init.control() as control:
        equal(control.ask(PING)[0], DONE, "answer")
        before = len(list(folder.iterdir()))
        for _ in range(100):
            reader, writer = os.pipe()
            rights = array.array("i", [writer] * 200)
            control.socket.sendmsg([struct.pack("=HHI", 1, PING, 0)],
                                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            os.close(writer)
            equal(control.receive()[0], DONE, "answer to one who passes descriptors")
            equal(os.read(reader, 1), b"", "the end of the pipe")
            os.close(reader)
        equal(len(list(folder.iterdir())), before, "descriptors of init")

    # no socket has a name outside of the file system
    inodes = set(re.findall(r"socket:\[(\d+)\]", " ".join(open_files(init.pid).values())))
    rows = [line.split() for line in pathlib.Path(f"/proc/{init.pid}/net/unix").read_text().splitlines()[1:]]
    names = [row[7] for row in rows if row[6] in inodes and len(row) > 7]
    check(names, "no socket of init is found")
    equal([name for name in names if name.startswith("@")], [], "abstract sockets")

# in a user namespace strangers have the number of nobody: an init that is nobody obeys none of them
if IS_ROOT:
    need("setpriv")
    words = ["setpriv", "--reuid=4321", "--regid=4321", "--clear-groups", need("unshare"), "--user", "--map-user=65534"]
    if subprocess.run(words + ["true"], capture_output=True, check=False).returncode == 0:
        run = Init(config=CONFIG, prefix=words, pid1=False)
        os.chown(run.dir, 4321, 4321)
        with run as init:
            init.wait_line("all ready after")
            until((init.run_dir / "control.sock").exists, "the socket is there")
            for uid in (4321, 4322, 65534):
                result = subprocess.run(["setpriv", f"--reuid={uid}", "--regid=4321", "--clear-groups",
                                         str(tool("../musterctl")), "stop", "web"], env=init.env, text=True,
                                        capture_output=True, check=False, timeout=20)
                equal(result.returncode, 5, f"exit code of musterctl stop as {uid}: {result.stderr}")
                contains(result.stderr, "65534", "what is said")
            equal(init.services()["web"]["state"], "running", "the service")
