#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A socket that cannot be opened is a clear error with its line, at the start and for a reload."""
import os
import socket

from lib import Init, contains, equal, free_port, tool, until

LISTENER = tool("listener")
CONFIG = f"[service:web]\ncommand = {LISTENER}\nrestart = no\nlisten = %s\nreadiness_probe = log:listens"


def start(listen):
    return Init(config=CONFIG % listen)


with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    with start(f"\n  tcp:127.0.0.1:{free_port()}\n  tcp:127.0.0.1:{port}") as init:
        equal(init.wait(), 78, "exit code")
        contains(init.stderr, f"muster.ini:6: [service:web] listen: cannot listen on tcp:127.0.0.1:{port}: "
                              "it is in use by another program", "what it says")
        equal(init.stdout, "", "output: nothing was started")
    # a reload is refused, and the service that listens goes on
    with start(f"tcp:127.0.0.1:{free_port()}, unix:{{dir}}/sock") as init:
        init.wait_state("web", "ready")
        before = init.services()["web"]["pid"]
        descriptors = len(os.listdir(f"/proc/{init.pid}/fd"))
        init.write("muster.ini", CONFIG % f"tcp:127.0.0.1:{free_port()}, unix:{init.path('sock')}, tcp:127.0.0.1:{port}")
        for _ in range(3):
            result = init.ctl("reload")
            equal(result.returncode, 1, "exit code of musterctl reload")
            contains(result.stderr, f"muster.ini:4: [service:web] listen: cannot listen on tcp:127.0.0.1:{port}: it is in "
                                    "use by another program", "what musterctl says")
        equal(init.services()["web"]["pid"], before, "pid of web")
        # a connection of musterctl may have been among them, and may still be
        until(lambda: len(os.listdir(f"/proc/{init.pid}/fd")) <= descriptors, "no descriptor is left behind")
        equal(os.path.exists(init.path("sock")), True, "the unix socket is still there")

# what is in the way of a unix socket: an answered one, a forsaken one, a file
with start("unix:{dir}/sock") as init:
    init.wait_state("web", "ready")
    path = str(init.path("sock"))
    with start(f"unix:{path}") as second:
        equal(second.wait(), 78, "exit code where another answers")
        contains(second.stderr, "in use", "what it says")
    init.write("file", "text")
    with start(f"unix:{init.path('file')}") as second:
        equal(second.wait(), 78, "exit code where there is a file")
    equal(init.read("file"), "text", "the file")
    with socket.socket(socket.AF_UNIX) as forsaken:
        forsaken.bind(str(init.path("old")))
    with start(f"unix:{init.path('old')}") as second:
        second.wait_state("web", "ready")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(init.path("old")))
            client.sendall(b"x\n")
            equal(int(client.makefile().readline()), second.services()["web"]["pid"], "who answers")

# what is wrong with the text of it
for listen, part in (("tcp:example.org:80", "names are not looked up"), ("tcp:127.0.0.1", "there is no port"),
                     ("tcp:127.0.0.1:0", "a number from 1 to 65535"), ("sctp:127.0.0.1:1", "expected tcp:host:port"),
                     ("unix:sock", "absolute path"), ("unix:/" + "x" * 107, "at most 107"),
                     ("tcp::81, tcp:127.0.0.1:81", "service web listens there already"),
                     (", ".join(f"tcp::{p}" for p in range(100, 165)), "more than 64 sockets"),
                     ("a b=tcp::80", "the name before =")):
    with start(listen) as init:
        equal(init.wait(), 78, f"exit code with {listen[:40]}")
        contains(init.stderr, "muster.ini:4: [service:web] listen: ", "what it says")
        contains(init.stderr, part, "what it says")
with Init(config=f"[service:a]\ncommand = {LISTENER}\nlisten = tcp::80, tcp::81\nreadiness_probe = fd:4") as init:
    equal(init.wait(), 78, "exit code with the same descriptor twice")
    contains(init.stderr, "muster.ini:4: [service:a] readiness_probe: descriptors 3 to 4 are", "what it says")
