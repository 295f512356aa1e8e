#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""As leader of a terminal's session (docker run -it) init hands the terminal to the program's own session,
and what is typed reaches the program once and nobody else."""
import signal

from lib import Init, Terminal, equal, need, tool, until

need("setsid")
terminal = Terminal()
with Init("-w", "--", tool("misbehave"), "identity", "{dir}/me", "record", "{dir}/record", "QUIT",
          prefix=["setsid", "--ctty"], stdin=terminal.slave, stdout=terminal.slave,
          stderr=terminal.slave) as init:
    me = init.json("me")
    equal((me["sid"], me["pgid"], me["tty_group"]), (me["pid"],) * 3, "session, group and foreground group")
    init.wait_file("record")
    terminal.type("\x03")
    until(lambda: init.read("record") == "begin\n2 0\n", "Ctrl-C arrives")
    terminal.type("\x1a")
    until(lambda: init.read("record") == "begin\n2 0\n20 0\n", "Ctrl-Z arrives")
    terminal.resize(33, 44)
    until(lambda: init.read("record") == "begin\n2 0\n20 0\n28 0\n", "the new size arrives")
    # the stop signals never stop init, and are passed on
    for signo in (signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP):
        init.signal(signo)
        until(lambda: init.read("record").splitlines()[-1] == f"{signo} 0", f"signal {signo} arrives")
    terminal.type("\x1c")
    equal(init.wait(), 0, "exit code")
    equal(init.read("record").split("\n")[4:], ["21 0", "22 0", "20 0", "3 0", ""], "signals")
terminal.close()
