#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""On a terminal (docker run -it) tini and catatonit keep the session and give the program a group of its own in the
foreground; dumb-init gives it a session of its own with the terminal, and drops the HUP and CONT of letting go."""
import contextlib
import os
import signal

from lib import Init, Terminal, called, check, equal, need, proc_children, read_proc, tool, until

need("setsid")


def start(terminal, name, *options):
    return Init(*options, "--", tool("misbehave"), "identity", "{dir}/me", "record", "{dir}/record", "QUIT",
                prefix=["setsid", "--ctty"], program=called(name), stdin=terminal.slave, stdout=terminal.slave,
                stderr=terminal.slave)


def terminal_of(pid):
    """Whether the process has a controlling terminal."""
    return read_proc(pid, "stat").decode().rpartition(")")[2].split()[4] != "0"


def finish(init, terminal, *expected):
    terminal.type("\x03")
    until(lambda: init.read("record").splitlines()[-1] == "2 0", "Ctrl-C arrives")
    terminal.type("\x1c")
    equal(init.wait(), 0, "exit code")
    equal(init.read("record").splitlines()[1:], [*expected, "2 0", "3 0"], "signals of the program")


for name in ("tini", "docker-init", "catatonit"):
    terminal = Terminal()
    with start(terminal, name) as init:
        init.wait_file("record")
        me = init.json("me")
        equal((me["pgid"], me["tty_group"]), (me["pid"], me["pid"]), f"{name}: group and foreground group")
        equal(me["sid"], 1, f"{name}: session")
        init.signal(signal.SIGTERM)
        until(lambda: init.read("record").splitlines()[-1] == "15 0", "TERM arrives")
        finish(init, terminal, "15 0")
    terminal.close()

terminal = Terminal()
with start(terminal, "dumb-init", "-v") as init:
    init.wait_file("record")
    me = init.json("me")
    equal((me["sid"], me["pgid"], me["tty_group"]), (me["pid"],) * 3, "dumb-init: session, group, foreground group")
    terminal.expect(r"Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive\.")
    for signo in (signal.SIGHUP, signal.SIGCONT):
        check(terminal.expect(rf"\[dumb-init\] Ignoring tty hand-off signal {int(signo)}\.\r\n"), "words")
    init.signal(signal.SIGHUP)  # the second one is passed on
    until(lambda: init.read("record").splitlines()[-1] == "1 0", "HUP arrives")
    finish(init, terminal, "1 0")
terminal.close()

# without a session of its own the program stays where init is
terminal = Terminal()
with start(terminal, "dumb-init", "-c") as init:
    init.wait_file("record")
    me = init.json("me")
    equal((me["sid"], me["pgid"], me["tty_group"]), (1, 1, 1), "dumb-init -c: session, group, foreground group")
    init.signal(signal.SIGQUIT)
    equal(init.wait(), 0, "exit code")
terminal.close()

# started by a shell, which keeps its terminal: dumb-init lets go of it, and its program never has it
terminal = Terminal()
with Init("--", tool("misbehave"), "forever", prefix=["setsid", "--ctty", "sh", "-c", '"$@"; exit $?', "sh"],
          program=called("dumb-init"), stdin=terminal.slave, stdout=terminal.slave, stderr=terminal.slave) as init:
    own = until(lambda: proc_children(init.pid), "dumb-init is there")[0]
    program = until(lambda: proc_children(own), "its program is there")[0]
    # the program is there before it is in a session of its own
    until(lambda: [terminal_of(pid) for pid in (init.pid, own, program)] == [True, False, False], "who has the terminal")
    os.kill(own, signal.SIGTERM)
    equal(init.wait(), 128 + signal.SIGTERM, "exit code")
terminal.close()

# catatonit leaves no descriptor open that it was given, and of its own the terminal alone
terminal = Terminal()
with Init("--", tool("misbehave"), "record", "{dir}/record", "QUIT", program=called("catatonit"), stdin=terminal.slave,
          stdout=terminal.slave, stderr=terminal.slave,
          prefix=["setsid", "--ctty", "sh", "-c", 'exec "$@" 3</dev/null 5</dev/zero', "sh"]) as init:
    init.wait_file("record")

    def opened():
        found = {}
        for name in os.listdir(f"/proc/{init.pid}/fd"):
            with contextlib.suppress(OSError):
                found[int(name)] = os.readlink(f"/proc/{init.pid}/fd/{name}")
        return found

    until(lambda: sorted(opened()) == [0, 1, 2, 3], lambda: f"it has closed what it was given: {opened()}")
    equal(opened()[3], "/dev/tty", "the one that is left")
    finish(init, terminal)
terminal.close()
