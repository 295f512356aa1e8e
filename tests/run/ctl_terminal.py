# SPDX-License-Identifier: MIT
"""On a terminal lines fit its width and states have colours; NO_COLOR, TERM=dumb and pipes have none."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from ctllib import FakeInit, service
from lib import CTL, check, contains, equal

SERVICES = [service("database", pid=4711, reason=b""), service("a-service-with-a-long-name-of-its-own", "failed",
            reason=b"connection refused, and much more to say about it than fits")]
ESCAPE = re.compile(r"\033\[[0-9;]*[A-Za-z]")


def on_terminal(init, columns, *words, **env):
    """What a program writes to a terminal of so many columns."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    clean = {k: v for k, v in init.environment().items() if k != "NO_COLOR"}
    with subprocess.Popen([CTL, *words], env=clean | {"TERM": "xterm"} | env, stdin=inner, stdout=inner,
                          stderr=inner) as process:
        os.close(inner)
        output = b""
        while True:
            try:
                data = os.read(outer, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
        process.wait(20)
    os.close(outer)
    return output.decode()


with FakeInit(SERVICES, phase="degraded") as fake:
    for width in (200, 80, 40, 20, 7, 1):
        for line in on_terminal(fake, width, "status").splitlines():
            check(len(ESCAPE.sub("", line)) <= width, f"{line!r} is wider than {width}")
    text = on_terminal(fake, 80, "status")
    contains(text, "\033[32mready\033[0m", "green")
    contains(text, "\033[31mfailed\033[0m", "red")
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        equal(ESCAPE.findall(on_terminal(fake, 80, "status", **env)), [], f"colours with {env}")
    equal(ESCAPE.findall(on_terminal(fake, 80, "--no-color", "status")), [], "colours with --no-color")
    contains(on_terminal(fake, 80, "status", NO_COLOR=""), "\033[32m", "an empty NO_COLOR says nothing")
    equal(ESCAPE.findall(fake.ctl("status").stdout), [], "colours in a pipe")
    contains(on_terminal(fake, 80, "wait", "--timeout", "300ms", "database:failed"), "1/2 ready", "progress")
    check("\r" not in fake.ctl("wait", "--timeout", "100ms", "database:failed").stderr, "no progress in a pipe")
