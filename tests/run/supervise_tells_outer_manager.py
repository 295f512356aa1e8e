# SPDX-License-Identifier: MIT
"""When all is ready READY=1 goes to the NOTIFY_SOCKET that muster-init was given, RELOADING=1 and READY=1 with a
reload, STOPPING=1 at the end; and WATCHDOG=1 as often as WATCHDOG_USEC asks for."""
import re
import socket
import tempfile

from lib import Init, equal, matches, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} await {{dir}}/go notify READY=1 forever
readiness_probe = notify
[service:first]
command = {M} notify READY=1 forever
readiness_probe = notify
"""

with tempfile.TemporaryDirectory() as directory:
    for name in (f"{directory}/notify", f"@muster-test-{directory.rpartition('/')[2]}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outer:
            outer.bind(name.replace("@", "\0"))
            outer.settimeout(20)
            with Init(config=CONFIG, env={"NOTIFY_SOCKET": name}) as init:
                init.wait_state("first", "ready")
                outer.setblocking(False)
                try:
                    early = outer.recv(100)
                except BlockingIOError:
                    early = b""
                equal(early, b"", "what came before all was ready")
                outer.settimeout(20)
                init.write("go", "")
                equal(outer.recv(100), b"READY=1\nSTATUS=all services are ready", "the first message")
                init.signal(1)
                matches(outer.recv(100).decode(), r"\ARELOADING=1\nMONOTONIC_USEC=[1-9]\d+\Z",
                        "when a reload begins")
                equal(outer.recv(100), b"READY=1\nSTATUS=all services are ready", "when it is done")
                init.signal(15)
                equal(outer.recv(100), b"STOPPING=1\nSTATUS=stopping: signal TERM",
                      "the last message")
                equal(init.wait(), 0, "exit code")

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outer:
        outer.bind(f"{directory}/watchdog")
        outer.settimeout(20)
        given = {"NOTIFY_SOCKET": f"{directory}/watchdog", "WATCHDOG_USEC": "1000000"}  # few: the socket holds ten
        with Init(config=CONFIG, env=given | {"WATCHDOG_PID": "1"}) as init:
            for _ in range(3):
                equal(outer.recv(100), b"WATCHDOG=1", "a sign of life")
            init.write("go", "")
            while outer.recv(100) == b"WATCHDOG=1":
                pass
        outer.setblocking(False)
        try:
            while True:
                outer.recv(100)
        except BlockingIOError:
            outer.settimeout(20)
        # one that is meant for somebody else: the first word is READY=1
        with Init(config=CONFIG, env=given | {"WATCHDOG_PID": "4242"}) as init:
            init.wait_state("first", "ready")
            init.write("go", "")
            equal(re.sub(b"\n.*", b"", outer.recv(100)), b"READY=1", "the first message")

    # one that does not read for a while: its socket is full, and the state is told once it has room
    for more in ({}, {"WATCHDOG_USEC": "200000"}):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outer, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            path = f"{directory}/full-{len(more)}"
            outer.bind(path)
            outer.settimeout(20)
            other.setblocking(False)
            try:
                while True:
                    other.sendto(b"from another", path)
            except BlockingIOError:
                pass
            with Init(config=CONFIG, env={"NOTIFY_SOCKET": path} | more) as init:
                init.write("go", "")
                init.wait_line("all ready after")
                # what it would say of this meanwhile is less than that it is ready
                equal(init.ctl("restart", "first").returncode, 0, "exit code of musterctl restart")
                init.wait_state("first", "ready")
                said = until(lambda: (text := outer.recv(100)) not in (b"from another", b"WATCHDOG=1") and text, "its state")
                equal(said, b"READY=1\nSTATUS=all services are ready", "the first message once there is room")
