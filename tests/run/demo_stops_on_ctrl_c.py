# SPDX-License-Identifier: MIT
"""On a terminal `make demo` stays; Ctrl-C shuts the stack down in order, exit 0, nothing left."""

import os
import pty
import re
import select
import subprocess
import tempfile
import time

from lib import BUILD, ROOT, check, equal, fail, need

SECONDS = 90


class Terminal:
    """A program on a terminal of its own, and what it has written there."""

    def __init__(self, command, env):
        self.fd, terminal = pty.openpty()
        self.text = ""
        # setsid and the first terminal opened: Ctrl-C reaches the program as from a keyboard
        self.process = subprocess.Popen(["setsid", "--ctty", "--wait", *command], env=env,
                                        stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)

    def read(self):
        """Reads what is there within a second. False: the terminal is closed."""
        if not select.select([self.fd], [], [], 1)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def read_until(self, pattern):
        deadline = time.monotonic() + SECONDS
        while not re.search(pattern, self.text):
            if not self.read() or time.monotonic() > deadline:
                fail(f"{pattern!r} did not appear:\n{self.text}")

    def press(self, key):
        os.write(self.fd, key)

    def wait(self):
        deadline = time.monotonic() + SECONDS
        while self.read():
            if time.monotonic() > deadline:
                fail(f"it does not end:\n{self.text}")
        return self.process.wait(SECONDS)


def stop(**env):
    with tempfile.TemporaryDirectory(prefix="md-") as directory:
        os.chmod(directory, 0o755)  # or the demo, as root, would lie elsewhere
        env = os.environ | {"MUSTER_BUILD": str(BUILD), "TMPDIR": directory, "ONCE": "", "TERM": "xterm"} | env
        terminal = Terminal([str(ROOT / "scripts/demo")], env)
        terminal.read_until("Ctrl-C shuts it down in order")
        terminal.press(b"\x03")
        code = terminal.wait()
        check(code == 0, f"exit code {code}:\n{terminal.text}")
        equal(os.listdir(directory), [], "files left")
        return terminal.text


def main():
    for program in ("redis-server", "redis-cli", "nginx", "curl", "setsid"):
        need(program)
    stop()
    text = stop(STACK="reference", SCALE="0.1")
    equal(text.count("none had to be killed"), 2, "hosts that ended in order")


main()
