# SPDX-License-Identifier: MIT
"""On a terminal lines fit its width and states have colours, and `wait` shows how far it is;
NO_COLOR, TERM=dumb and pipes have none."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

from ctllib import DONE, EVENTS, LOGS, FakeInit, event, message, service
from ctllib import line as printed
from lib import CTL, check, contains, equal

WIDE = "\u4e2d\u6587\u2028\U0001f600e\u0301"
PRINTED = b"\x1b]0;title\x07 \x1b[31mred\x1b[2J \xff\t\xc2\x9b\xe4\xb8\xad\r"
SERVICES = [service("database", pid=4711, reason=b""), service("a-service-with-a-long-name-of-its-own", "failed",
            reason=b"connection refused, and much more to say about it than fits")]

def columns(text):
    """How wide a terminal shows it."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def answer(kind, _body):
    if kind == LOGS:
        return [printed(b"database", PRINTED), printed(b"database", b"plain"), message(DONE)]
    return [message(DONE), event(b"database", "running", "ready", WIDE.encode()), None] if kind == EVENTS else [message(DONE)]


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

# what services say and print
with FakeInit([service("database", "failed", reason=WIDE.encode() * 3)], answer, phase="degraded") as fake:
    for width in range(30, 60):
        for shown in on_terminal(fake, width, "status").splitlines():
            check(columns(ESCAPE.sub("", shown)) <= width, f"{shown!r} is wider than {width}")
    check("\u2028" not in on_terminal(fake, 80, "status"), "a line separator is shown")
    equal(on_terminal(fake, 80, "logs", "database"), "?]0;title? \x1b[31mred?[2J ?\t?\u4e2d\x1b[0m\r\nplain\r\n", "logs on a terminal")
    equal(on_terminal(fake, 80, "logs", "--no-color", "database"), "?]0;title? red?[2J ?\t?\u4e2d\r\nplain\r\n", "logs without colours")
    raw = subprocess.run([CTL, "logs", "database"], env=fake.environment(), capture_output=True, check=False).stdout
    equal(raw, PRINTED + b"\nplain\n", "logs in a pipe")
    # a socket that is opened later must not become the closed stdout
    closed = subprocess.run(["sh", "-c", 'exec "$0" logs database >&-', CTL], env=fake.environment(), capture_output=True,
                            text=True, check=False)
    equal(closed.returncode, 1, "exit code without a stdout")
    contains(closed.stderr, "cannot write the output", "what is said without a stdout")
