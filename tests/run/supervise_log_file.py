# SPDX-License-Identifier: MIT
"""log = file:PATH: all lines in the file, rotated by size and kept so many, over restarts of the service and of the writer."""
import os
import signal

from lib import Init, check, equal, need, read_proc, tool, until

need("seq")
M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} print first error second await {{dir}}/go print third await {{dir}}/again exit 1
log = file:{{dir}}/web.log
restart_backoff = 1ms..1ms
restart_limit = unlimited
[service:many]
command = seq 1 4000
type = oneshot
log = file:{{dir}}/many.log
log_max_size = 4K
log_keep = 2
[service:all]
command = seq 1 4000
type = oneshot
log = file:{{dir}}/all.log
log_max_size = 4K
log_keep = 99
"""


def writer_of(init, name):
    """The process that writes a file; its number in our world."""
    found = [pid for pid in init.pids() if f"/{name}".encode() in read_proc(pid, "cmdline")
             and b"--log-writer" in read_proc(pid, "cmdline")]
    return found[0] if found else None


with Init(config=CONFIG) as init:
    until(lambda: init.read("web.log") == "first\nsecond\n", "the first lines")
    check("first" not in init.stdout + init.stderr, "lines on stdout as well")
    # the writer dies: another one goes on, and nothing is lost
    old = until(lambda: writer_of(init, "web.log"), "a writer")
    os.kill(old, signal.SIGKILL)
    until(lambda: writer_of(init, "web.log") not in (None, old), "another writer")
    init.write("go", "")
    until(lambda: init.read("web.log") == "first\nsecond\nthird\n", "the next line")
    # so it is over a restart of the service
    init.write("again", "")
    until(lambda: init.read("web.log").count("first\nsecond\nthird\n") >= 3, "restarts")
    (init.dir / "again").unlink()

    # rotation falls between lines, no file grows over its size, old ones go
    until(lambda: init.read("many.log").endswith("\n4000\n"), "all lines")
    names = sorted(name for name in os.listdir(init.dir) if name.startswith("many.log"))
    equal(names, ["many.log", "many.log.1", "many.log.2"], "files")
    for name in names:
        size = os.path.getsize(init.path(name))
        check(0 < size <= 4096, f"{name} has {size} bytes")
        check(init.read(name).endswith("\n"), f"{name} ends within a line")
    until(lambda: init.read("all.log").endswith("\n4000\n"), "all lines")
    files = sorted((name for name in os.listdir(init.dir) if name.startswith("all.log.")),
                   key=lambda name: -int(name.rpartition(".")[2])) + ["all.log"]
    text = "".join(map(init.read, files))
    equal(text, "".join(f"{i}\n" for i in range(1, 4001)), "lines of all files together")
    init.signal(15)
    equal(init.wait(), 0, "exit code")

# the last lines before the end are in the file, too
with Init(config=f"[service:web]\ncommand = {M} on TERM [ print bye exit 0 ] print up forever\n"
                 "log = file:{dir}/web.log\n") as init:
    until(lambda: init.read("web.log") == "up\n", "the first line")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    equal(init.read("web.log"), "up\nbye\n", "the file")

# a file that cannot be opened is said, and does not keep the service from running
with Init(config=f"[service:web]\ncommand = {M} lines 100000 pid {{dir}}/done forever\n"
                 "log = file:/no/such/directory/web.log\n") as init:
    init.wait_line("/no/such/directory/web.log: No such file or directory")
    init.wait_file("done")
