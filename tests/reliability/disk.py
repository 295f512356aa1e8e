#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Full and read-only file systems, at the start and while all runs: services, requests and shutdown are as ever, what
cannot be written is said and counted, and all goes on when there is room again."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from report import QUICK, Section
from lib import Init, check, contains, equal, need, need_root, tool, until

M = tool("misbehave")
LINES = 500 if QUICK else 20000
QUIET = re.compile(r"warning|error")
CONFIG = f"""
[muster]
stop_timeout = 3s
{{more}}
[service:db]
command = {M} notify READY=1 forever
readiness_probe = notify
[service:web]
command = {M} pid {{{{dir}}}}/up forever
depends_on = db
restart_backoff = 10ms..100ms
restart_limit = unlimited
"""
CHATTY = f"""
[service:chatty]
command = {M} await {{dir}}/go lines {LINES} await {{dir}}/room lines {LINES} append {{dir}}/done x forever
log = file:{{dir}}/disk/log
"""
SUPERVISORD = f"""
[supervisord]
nodaemon = true
user = root
logfile = /dev/null
logfile_maxbytes = 0
pidfile = {{dir}}/pid
[program:chatty]
command = {M} await {{dir}}/go lines {LINES} append {{dir}}/half x await {{dir}}/room lines {LINES} append {{dir}}/done x forever
stdout_logfile = {{dir}}/disk/log
stdout_logfile_maxbytes = 0
"""


def fill(folder):
    """Takes all the room there is."""
    with open(folder / "fill", "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def make_room(folder):
    (folder / "fill").unlink()


class Disk:
    """A run with a small file system in {dir}/NAME."""

    def __init__(self, pid1, config, name="disk", options="size=256k", before=lambda folder: None):
        self.init = Init(config=config, pid1=pid1)
        self.folder = self.init.dir / name
        self.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", self.folder], check=True)
        before(self.folder)

    def __enter__(self):
        try:
            return self.init.__enter__(), self.folder
        except BaseException:
            self.unmount()
            raise

    def unmount(self):
        subprocess.run(["umount", "-l", self.folder], check=False)

    def __exit__(self, *error):
        self.unmount()
        return self.init.__exit__(*error)


def config(more=""):
    return CONFIG.format(more=more)


def restarted(init):
    """A service that dies is there again; whether or not anybody can be asked."""
    before = init.wait_file("up").count("\n")
    os.kill(until(lambda: init.outside(int(init.read("up").split()[-1])), "it runs"), signal.SIGKILL)
    until(lambda: init.read("up").count("\n") > before, "it is started again")


def ends(init, said):
    """An orderly end; each complaint is one of those that were expected."""
    init.signal(signal.SIGTERM)
    begin = time.monotonic()
    equal(init.wait(), 0, "exit code")
    check(time.monotonic() - begin < (20 if QUICK else 4), "the end took longer than stop_timeout and a second")
    for line in init.stderr.splitlines():
        check(not QUIET.search(line) or re.search(said, line) or "starting again" in line, f"said: {line}")


def starts_without(pid1, options, before=lambda folder: None, said="no status page and no control socket"):
    """The runtime directory cannot be used: said once, and all runs."""
    with Disk(pid1, config(), "run", options, before) as (init, folder):
        init.wait_file("up")
        restarted(init)
        ends(init, said)
        equal(len(re.findall(said, init.stderr)), 1, "how often it is said")
        equal([name for name in os.listdir(folder) if name != "fill"], [], "files that are left")


def full_start(pid1):
    starts_without(pid1, "size=64k", fill)


def no_names(pid1):
    starts_without(pid1, "nr_inodes=1")


def read_only_start(pid1):
    starts_without(pid1, "size=64k,ro")


def room_for_the_page_only(pid1):
    """The page can be written, the socket cannot be made."""
    with Disk(pid1, config(), "run", "nr_inodes=2") as (init, _):
        init.wait_file("up")
        restarted(init)
        ends(init, "control socket|durations|cannot")


def full_while_running(pid1):
    with Disk(pid1, config(), "run") as (init, folder):
        init.wait_state("web", "running")
        fill(folder)
        restarted(init)
        init.wait_state("web", "running")
        equal(init.ctl("restart", "web").returncode, 0, "a request")
        init.write("muster.ini", init.fill(config() + f"[service:more]\ncommand = {M} forever\n"))
        result = init.ctl("reload")
        equal(result.returncode, 1, "a reload")
        contains(result.stderr, "No space left on device; the old configuration goes on", "what it says")
        equal(init.services()["web"]["state"], "running", "what ran")
        make_room(folder)
        equal(init.ctl("reload").returncode, 0, "a reload when there is room")
        init.wait_state("more", "running")
        ends(init, "No space left")


def full_log(pid1):
    """Each line is in the file, or counted."""
    with Disk(pid1, config() + CHATTY, options="size=32k") as (init, folder):
        init.wait_state("chatty", "running")
        fill(folder)
        init.write("go", "")
        init.wait_line("No space left on device; .* dropped")
        begin = time.monotonic()
        with init.control() as control:
            equal(control.ask(1)[0], 64, "an answer")
        waited = time.monotonic() - begin
        restarted(init)

        def dropped():
            return json.loads(init.ctl("status", "--json").stdout)["init"]["log_dropped"]

        until(lambda: dropped() + init.read("disk/log").count("\n") == LINES, "each is there or counted", 60)
        make_room(folder)
        subprocess.run(["mount", "-o", "remount,size=16m", folder], check=True)
        init.write("room", "")
        init.wait_file("done", 60)
        until(lambda: dropped() + init.read("disk/log").count("\n") == 2 * LINES, "again", 60)
        init.wait_line("is written again")
        equal(init.read("disk/log").splitlines()[-LINES:], [f"line {i + 1}" for i in range(LINES)], "all of the second half")
        ends(init, "No space left|written again|dropped")
        return waited


def read_only_log(pid1):
    with Disk(pid1, config() + CHATTY, options="size=1m,ro") as (init, folder):
        init.write("go", "")
        init.wait_line("Read-only file system")
        restarted(init)
        # the mounts of init's own namespace have flags of their own
        subprocess.run(["nsenter", "-t", str(init.pid), "-m", "mount", "-o", "remount,rw", folder], check=True)
        init.write("room", "")
        init.wait_file("done", 60)
        until(lambda: f"line {LINES}\n" in init.read("disk/log"), "what comes then is written")
        ends(init, "Read-only|written again|dropped")


def state(pid1, options, before, said):
    """Durations of earlier starts stay as they were where new ones cannot be written."""
    with Disk(pid1, config("state_dir = {dir}/disk"), options=options, before=before) as (init, folder):
        init.wait_state("web", "running")
        init.wait_line(said)
        restarted(init)
        equal([name for name in os.listdir(folder) if name.startswith(".")], [], "files that are left")
        ends(init, f"{said}|durations")


def full_state(pid1):
    state(pid1, "size=16k", fill, "durations cannot be written: No space left on device")


def read_only_state(pid1):
    state(pid1, "size=16k,ro", lambda folder: None, "durations cannot be written: Read-only file system")


def old_state(pid1):
    """What was learned before is kept whole."""
    first = Init(config=config("state_dir = {dir}/disk"), pid1=pid1)
    (first.dir / "disk").mkdir()
    with first as init:
        init.wait_state("web", "running")
        known = init.wait_file("disk/durations")
        init.signal(signal.SIGTERM)
        init.wait()

    def keep(folder):
        (folder / "durations").write_text(known)
        fill(folder)

    with Disk(pid1, config("state_dir = {dir}/disk"), options="size=16k", before=keep) as (init, _):
        init.wait_state("web", "running")
        init.wait_line("durations cannot be written: No space left")
        equal(init.read("disk/durations"), known, "what was there")
        ends(init, "durations")


def full_listen(pid1):
    """A socket that cannot be made: nothing starts, and a line says which."""
    text = config().replace("depends_on = db", "depends_on = db\nlisten = unix:{dir}/disk/web")
    with Disk(pid1, text, options="nr_inodes=1") as (init, _):
        check(init.wait() in (70, 78), "exit code")
        contains(init.stderr, "No space left on device", "what is said")
        equal(init.read("up"), "", "what has started")


CASES = {
    "runtime directory, full at the start": full_start,
    "runtime directory without a free inode at the start": no_names,
    "runtime directory, read-only at the start": read_only_start,
    "runtime directory with room for the page alone": room_for_the_page_only,
    "runtime directory full while all runs; a reload is refused, and done when there is room": full_while_running,
    "log file on a full file system; room later": full_log,
    "log file on a read-only file system; writable later": read_only_log,
    "state_dir on a full file system": full_state,
    "state_dir with durations on a full file system": old_state,
    "state_dir on a read-only file system": read_only_state,
    "directory of a held socket without a free inode": full_listen,
}


def peer():
    """What becomes of the same lines in a log of supervisord's."""
    program = shutil.which("supervisord")
    if QUICK or not program:
        return "–"
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        disk = folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "none", disk], check=True)
        stack.callback(subprocess.run, ["umount", "-l", disk], check=False)
        (folder / "conf").write_text(SUPERVISORD.format(dir=folder))
        daemon = stack.enter_context(subprocess.Popen([program, "-c", folder / "conf"], stdout=subprocess.DEVNULL,
                                                      stderr=subprocess.DEVNULL))
        stack.callback(daemon.terminate)
        until((disk / "log").exists, "its log", 60)
        fill(disk)
        (folder / "go").write_text("")
        until((folder / "half").exists, "all is printed once", 120)
        make_room(disk)
        subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
        (folder / "room").write_text("")
        until((folder / "done").exists, "all is printed twice", 120)
        sizes = []

        def is_written():
            sizes.append((disk / "log").stat().st_size)
            time.sleep(1)
            return sizes[-2:] == sizes[-1:] * 2

        until(is_written, "all is written", 60)
        found = (disk / "log").read_text().count("\n")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return f"supervisord {version}: {2 * LINES - found} of {2 * LINES} lines of a log are lost, none counted (here)"


def main():
    need_root()
    need("mount")
    if "MUSTER_OWN_MOUNTS" not in os.environ:  # they end with this process
        os.environ["MUSTER_OWN_MOUNTS"] = "1"
        os.execvp(need("unshare"), ["unshare", "--mount", sys.executable, "-B", *sys.argv])
    section = Section("Full and read-only file systems", f"""
        Two services, one of which is killed and has to be back, on file systems (tmpfs) that are full, have no free
        inode or are read-only. Complaints are lines that name the cause, once; requests are answered, a shutdown takes no
        longer than stop_timeout and a second, ends with 0 and leaves no half-written file behind. Of a log file each of
        {2 * LINES} lines is in the file or counted as dropped.""")
    rows, bad, waited = [], [], []
    for name, case in CASES.items():
        row = [name]
        for pid1 in (True, False):
            try:
                waited.append(case(pid1) or 0)
                row.append("as it should be")
            except Exception as error:  # of whatever kind: the table says so
                bad.append(f"{name}, {'PID 1' if pid1 else 'subreaper'}: {error}")
                row.append("**not**")
        rows.append(row)
    section.table(["", "PID 1", "subreaper"], rows)
    if bad:
        section.say("Not as it should be:\n\n" + "\n".join(f"- {line}" for line in bad))
    limit = 5 if QUICK else 1
    section.goal("an answer while a log is dropped, at the latest after", f"{limit} s", f"{max(waited) * 1000:.0f} ms", max(waited) < limit)
    section.goal("cases that are not as they should be", "0", f"{len(bad)} of {2 * len(CASES)}", not bad, peer())
    section.finish()


main()
