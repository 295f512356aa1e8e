# SPDX-License-Identifier: MIT
"""On a terminal top and status --watch draw a summary and as many rows as there is room for, and say how many are not shown;
top tells nothing of processes that only have the same numbers here."""
import os
import re
import subprocess

from lib import CTL, Init, Terminal, check, equal, until

CONFIG = "".join(f"[service:s{i}]\ncommand = sleep 1000\n" for i in range(30))
SCREEN = "\033[H\033[J"


def screens(terminal):
    """What was drawn so far: the lines of each screen but the last, which may not be complete."""
    drawn = re.sub(r"\033\[[0-9;]*m", "", terminal.read()).split(SCREEN)[1:-1]
    return [screen.replace("\r", "").split("\n") for screen in drawn]


with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    for words in (["top", "--interval", "50ms"], ["status", "--watch"]):
        for height, rows in ((10, 6), (60, 30)):
            terminal = Terminal()
            terminal.resize(height, 80)
            with subprocess.Popen([CTL, *words], env=init.env | {"TERM": "xterm"}, stdin=terminal.slave,
                                  stdout=terminal.slave, stderr=terminal.slave) as process:
                try:
                    until(lambda: len(screens(terminal)) > 1, f"{words} draws again and again")
                    lines = screens(terminal)[-1]
                finally:
                    process.terminate()
            terminal.close()
            check(len(lines) <= height, f"{words} fits in {height} lines: {lines}")
            equal(bool(re.match(rf"{os.uname().nodename}  ready  30 of 30 ready  up ", lines[0])), True, f"summary {lines[0]!r}")
            equal(lines[1].split()[:2], ["NAME", "STATE"], "head")
            equal(sum(line.startswith("s") for line in lines[2:]), rows, f"rows of {words} in {height} lines")
            equal("... and 24 more" in lines, rows < 30, "what is said of the rest")
    # those of the namespace, seen from outside
    equal({tuple(line.split()[3:5]) for line in init.ctl("top", "--once").stdout.splitlines()[1:]}, {("-", "-")}, "CPU% and RSS")
with Init(config=CONFIG, pid1=False) as init:
    init.wait_line("all ready after")
    for line in init.ctl("top", "--once").stdout.splitlines()[1:]:
        check(re.fullmatch(r"[\d.]+", line.split()[3]) and re.fullmatch(r"\d+[KM]", line.split()[4]), line)
