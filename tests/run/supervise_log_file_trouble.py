# SPDX-License-Identifier: MIT
"""Log files that are moved, deleted, truncated, replaced, or on a full disk: lines go on, what is lost is counted and said."""
import json
import os
import pathlib
import re
import resource

from lib import IS_ROOT, Init, check, equal, tool, until

M = tool("misbehave")


def dropped(init):
    until(lambda: init.services().get("web"), "init is there")
    return json.loads(init.ctl("status", "--json").stdout)["init"]["log_dropped"]


def config(name, lines=0):
    return (f"[service:web]\ncommand = sh -c 'i=0; while :; do while [ ! -e {{dir}}/go$i ]; do {M} sleep 5; done; "
            f"echo round $i; {M} lines {lines}; echo end $i; i=$(($i+1)); done'\nlog = file:{{dir}}/{name}\nlog_max_size = 100M\n")


# moved, deleted, truncated: each round is in the file of that name, and nothing is lost
with Init(config=config("web.log")) as init:
    def round_is_in(number, name="web.log"):
        init.write(f"go{number}", "")
        until(lambda: init.read(name).endswith(f"round {number}\nend {number}\n"), f"round {number}")

    log = init.dir / "web.log"
    round_is_in(0)
    log.rename(init.dir / "moved")
    round_is_in(1)
    equal(init.read("moved"), "round 0\nend 0\n", "the file that was moved")
    log.unlink()
    round_is_in(2)
    equal(init.read("web.log"), "round 2\nend 2\n", "the file after it was deleted")
    os.truncate(log, 0)
    round_is_in(3)
    equal(init.read("web.log"), "round 3\nend 3\n", "the file after it was truncated")
    equal(dropped(init), 0, "lines dropped")

    # a directory in its place: lines are dropped, which is said; then it goes on
    log.unlink()
    log.mkdir()
    init.write("go4", "")
    init.wait_line("web.log: Is a directory; (1 line|2 lines) dropped")
    until(lambda: dropped(init) == 2, "both are counted")
    log.rmdir()
    round_is_in(5)
    init.wait_line("web.log is written again")
    equal(init.read("web.log"), "round 5\nend 5\n", "the file after the directory")

    # a FIFO: without a reader lines are dropped; a reader gets them
    log.unlink()
    os.mkfifo(log)
    init.write("go6", "")
    until(lambda: dropped(init) == 4, "both are counted")
    fifo = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    init.write("go7", "")
    text = b""

    def read_fifo():
        global text
        try:
            text += os.read(fifo, 4096)
        except BlockingIOError:
            pass
        return text.endswith(b"end 7\n")

    until(read_fifo, "lines through a FIFO")
    os.close(fifo)
    init.write("go8", "")
    until(lambda: dropped(init) == 6, "both are counted, and the writer lives")
    log.unlink()
    round_is_in(9)
    init.signal(15)
    equal(init.wait(), 0, "exit code")

# a limit of the size of files is an error like others: whole lines in the file, the rest counted
SIZE = 10000
with Init(config=config("web.log", 5000),
          setup=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE, resource.RLIM_INFINITY))) as init:
    init.write("go0", "")
    until(lambda: dropped(init) and dropped(init) + init.read("web.log").count("\n") == 5002, "all are written or counted")
    text = init.read("web.log")
    check(SIZE - 20 < len(text) <= SIZE and text.endswith("\n"), "whole lines up to the limit")
    init.wait_line("web.log: File too large; \\d+ lines dropped")
    init.signal(15)
    equal(init.wait(), 0, "exit code")

# rotation under load, and a rotation that cannot be: no line is lost
with Init(config=config("web.log", 20000).replace("100M", "8K\nlog_keep = 99")) as init:
    init.write("go0", "")
    until(lambda: init.read("web.log").endswith("end 0\n"), "the last line")
    files = sorted(init.dir.glob("web.log*"), key=lambda path: -int("0" + path.suffix[1:].replace("log", "")))
    lines = "".join(path.read_text() for path in files).splitlines()
    equal(lines, ["round 0", *(f"line {i}" for i in range(1, 20001)), "end 0"], "lines of all files")
    check(all(path.stat().st_size <= 8192 for path in files), "files are within their size")
with Init(config=config("web.log", 20000).replace("100M", "8K\nlog_keep = 1")) as init:
    (init.dir / "web.log.1" / "in the way").mkdir(parents=True)
    init.write("go0", "")
    until(lambda: init.read("web.log").endswith("end 0\n"), "the last line")
    equal(init.read("web.log").count("\n"), 20002, "lines in the file that cannot be rotated")
    init.wait_line("web.log: Is a directory$")
    check(init.stderr.count("Is a directory") < 12, "it is said rarely")
    equal(dropped(init), 0, "lines dropped")

# a full disk, and room again
if IS_ROOT:
    mount = ["sh", "-c", 'mkdir -p "$0/full" && mount -t tmpfs -o mode=755,size=64k none "$0/full" && exec "$@"', "{dir}"]
    with Init(config=config("full/web.log", 20000), prefix=mount) as init:
        disk = pathlib.Path(f"/proc/{init.pid}/root") / init.path("full").lstrip("/")
        init.write("go0", "")
        until(lambda: dropped(init) and dropped(init) + (disk / "web.log").read_text().count("\n") == 20002,
              "all are written or counted")
        text = (disk / "web.log").read_text()
        check(text.endswith("\n"), "the file ends within a line")
        check(re.fullmatch(r"round 0\n(line \d+\n)+", text), "whole lines")
        init.wait_line("web.log: No space left on device; \\d+ lines dropped")
        before = dropped(init)
        os.truncate(disk / "web.log", 0)
        check(before > 10000, f"only {before} lines dropped")
        init.write("go1", "")
        until(lambda: dropped(init) > before and
              dropped(init) - before + (disk / "web.log").read_text().count("\n") == 20002, "room again, and full again")
        check((disk / "web.log").read_text().startswith("round 1\nline 1\nline 2\n"), "lines where there is room again")
