# SPDX-License-Identifier: MIT
"""With `run -it` the program has the terminal: job control, Ctrl-C, the window's size; supervising, Ctrl-C ends."""
import os
import subprocess

from imagelib import BASE, INIT, STATIC, TOOL, engines

from lib import Terminal, equal, fail, SECONDS

CONFIG = f"""
[muster]
log = inherit
[service:db]
command = {TOOL} on TERM [ print ends-in-order exit 0 ] print is-up forever
"""


class Attached:
    """`run -it` on a terminal of ours, in whose foreground it is."""

    def __init__(self, engine, *words, config=None):
        self.terminal = Terminal()
        self.terminal.resize(20, 70)
        self.container = engine.container("-it", "--env", "PS1=ready> ", *words, config=config, detach=False)

    def __enter__(self):
        self.process = subprocess.Popen(
            self.container.engine.command(*self.container.words), stdin=self.terminal.slave,
            stdout=self.terminal.slave, stderr=self.terminal.slave, env=self.container.engine.environment,
            start_new_session=True, preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)))
        return self

    def type(self, text):
        self.terminal.type(text)

    def expect(self, pattern):
        return self.terminal.expect(pattern)

    def wait(self):
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            return fail(f"still runs; the terminal shows {self.terminal.read()!r}")

    def __exit__(self, *error):
        self.container.__exit__(*error)
        self.process.kill()
        self.process.wait()
        self.terminal.close()


def shell(engine, *words):
    with Attached(engine, *words, "bash", "--norc", "--noediting", "-i") as attached:
        attached.expect("ready> ")
        attached.type(f"{TOOL} on CONT [ print go'es'-on ] print is'-up' forever\n")
        attached.expect("is-up")
        attached.type("\x1a")
        attached.expect("Stopped")
        attached.expect("ready> ")
        attached.type("fg\n")
        attached.expect("goes-on")
        attached.type("\x03")
        attached.expect("ready> ")
        attached.type("echo code $?\n")
        attached.expect("code 130")
        attached.type("stty size\n")
        attached.expect("20 70")
        attached.type(f"{TOOL} on WINCH [ print size'-is'-new ] print is'-up' forever\n")
        attached.expect("is-up")
        attached.terminal.resize(30, 90)
        attached.expect("size-is-new")
        attached.type("\x03")
        attached.expect("ready> ")
        attached.type("stty size\n")
        attached.expect("30 90")
        attached.type("exit 9\n")
        equal(attached.wait(), 9, "exit code")


def supervised(engine):
    with Attached(engine, BASE, INIT, config=CONFIG) as attached:
        attached.expect("is-up")
        attached.type("\x03")
        attached.expect("ends-in-order")
        equal(attached.wait(), 0, "exit code")


for engine in engines():
    shell(engine, BASE, INIT, "--")
    shell(engine, "--init", *(["--init-path", STATIC / "muster-init"] if engine.name == "podman" else []), BASE)
    supervised(engine)
