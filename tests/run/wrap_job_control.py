#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Started from a shell on a terminal, the program is in the foreground, and Ctrl-C, Ctrl-Z, bg, fg and what
the shell does next work as without init."""
import os
import pathlib
import shutil
import signal
import tempfile

from lib import INIT, Terminal, need, proc_children, proc_state, read_proc, tool, until

BASH = need("bash")
directory = tempfile.mkdtemp(prefix="muster-test-")
go = f"{directory}/go"


def shell(terminal, *words):
    """A shell that leads a session on this terminal."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for fd in range(3):
            os.dup2(terminal.slave, fd)
        os.close(os.open(os.ttyname(0), os.O_RDWR))  # the first terminal opened becomes the session's
        os.execve(words[0], words, {"PATH": os.environ["PATH"], "PS1": "ready> ", "TERM": "dumb",
                                    "HISTFILE": "", "I": str(INIT), "M": tool("misbehave"), "F": go})
    return pid


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def foreground(command, name):
    """Types a command and waits until that program has the terminal."""
    terminal.expect("ready> ")
    terminal.type(f"{command}\n")
    until(lambda: read_proc(os.tcgetpgrp(terminal.master), "comm").decode().strip() in name.split("|"),
          f"{name} has the terminal")


terminal = Terminal()
pid = shell(terminal, BASH, "--norc", "--noprofile", "--noediting", "-i")
try:
    terminal.expect("ready> ")
    terminal.type("$I -- $M on CONT [ print go'es'-on ] on INT [ print inter'rup'ted exit 5 ] print is'-'up forever\n")
    terminal.expect("is-up")
    for _ in range(3):
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.expect("ready> ")
        terminal.type("fg\n")
        terminal.expect("goes-on")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.type("bg\n")
    terminal.expect("goes-on")
    terminal.type("echo still'-'here\n")
    terminal.expect("still-here")
    foreground("fg", "muster-init|misbehave")
    terminal.type("\x03")
    terminal.expect("interrupted")
    terminal.type("echo code $?\n")
    terminal.expect("code 5")
    # started in the background it does not take the terminal; what it reads waits for fg
    terminal.expect("ready> ")
    terminal.type("$I -- head -n 1 &\n")
    until(lambda: [proc_state(child) for child in proc_children(pid)] == ["T"], "it is stopped for reading")
    foreground("fg", "head")
    terminal.type("a line for head\n")
    terminal.expect("a line for head\r\n(.*\r\n)?a line for head")
    # a job that runs when fg comes is told nothing, and gets the terminal once it wants to read
    terminal.type("$I -- $M await $F exec head -n 1 &\n")
    terminal.expect("ready> ")
    foreground("fg", "muster-init|misbehave")
    pathlib.Path(go).touch()
    terminal.type("another line\n")
    terminal.expect("another line\r\n(.*\r\n)?another line")
    terminal.type("exit\n")
finally:
    end(pid)
    shutil.rmtree(directory)
terminal.close()

# a shell without job control gets its terminal back
terminal = Terminal()
pid = shell(terminal, "/bin/sh", "-c", "$I -- true; $I -- nosuchprogram; read word; echo code $? word $word; cat")
try:
    terminal.type("hello\n")
    terminal.expect("code 0 word hello")
finally:
    end(pid)
terminal.close()
