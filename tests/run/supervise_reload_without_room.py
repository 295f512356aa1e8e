# SPDX-License-Identifier: MIT
"""A reload for which there is no room is given up, said so, and what it had stopped is started again."""
from lib import Init, contains, equal, need, need_root, tool, until

need_root()
need("mount")
M = tool("misbehave")
KEEP = f"[service:keep]\ncommand = {M} forever\n"
GOES = f"[service:goes]\ncommand = {M} pid {{dir}}/goes forever\n"

# a file system that has room for the page and the socket, and no other file
MOUNT = ["sh", "-c", 'mount -t tmpfs -o nr_inodes=3 none "$0/run" && exec "$@"', "{dir}"]
run = Init(config=KEEP + GOES, prefix=MOUNT)
run.run_dir.mkdir()
with run as init:
    # from outside the directory of the mount namespace is seen through init itself
    init.env["MUSTER_RUN_DIR"] = f"/proc/{init.pid}/root{init.run_dir}"
    init.wait_line("all ready after")
    until(lambda: init.read("goes").count("\n") == 1, "it runs")
    pid = init.services()["keep"]["pid"]
    init.write("muster.ini", init.fill(KEEP))
    result = init.ctl("reload")
    equal((result.returncode, result.stdout), (1, ""), "exit code and answer")
    contains(result.stderr, "No space left on device; the old configuration goes on", "what is said")
    init.wait_line("error: reload: .*No space left on device; the old one goes on")
    until(lambda: init.read("goes").count("\n") == 2, "it runs again")
    init.wait_state("goes", "running")
    equal(init.services()["keep"]["pid"], pid, "the process of what stays")
    # it can be tried again, and given up again
    init.signal(1)
    until(lambda: init.stderr.count("No space left on device") == 2, "a second time")
    init.wait_state("goes", "running")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
