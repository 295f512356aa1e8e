# SPDX-License-Identifier: MIT
"""When all is ready READY=1 goes to the NOTIFY_SOCKET that muster-init was given, and STOPPING=1 at the end."""
import socket
import tempfile

from lib import Init, equal, tool

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
                equal(outer.recv(100), b"READY=1", "the first message")
                init.signal(15)
                equal(outer.recv(100), b"STOPPING=1", "the last message")
                equal(init.wait(), 0, "exit code")
