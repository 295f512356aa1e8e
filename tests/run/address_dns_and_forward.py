# SPDX-License-Identifier: MIT
"""Under muster-init the sidecar answers names at port 53 and passes connections on from ports below 1024, which it
could not open itself; programs find addresses there by the C library, also where /etc/resolv.conf names nobody
else; and a reload brings a port, and takes it away."""

import contextlib
import pathlib
import signal
import socket
import subprocess
import sys

from lib import Init, equal, tool, until
from sidecarlib import Target, in_network_namespace
from sidecarlib.dns import AAAA, A
from sidecarlib.question import ask

M = tool("misbehave")
BASE = """
[muster]
mode = testing
[sidecar]
listen = 127.0.0.1:0
dns = 127.0.0.1
dns_upstream = no
[service:app]
command = {M} forever
[address:web]
port = {port}
testing = 127.0.0.2
"""
LOOKUP = "import socket, sys; print(sorted({one[4][0] for one in socket.getaddrinfo(sys.argv[1], 80)}))"


def lookup(name):
    done = subprocess.run([sys.executable, "-c", LOOKUP, name], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def hears(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 20) as one:
        one.sendall(b"hello")
        return one.recv(5, socket.MSG_WAITALL) == b"hello"
    return False


def answers(name):
    with contextlib.suppress(OSError):
        answer = ask(53, name, A)
        return answer and answer.answers()
    return None


def echo(connection):
    while data := connection.recv(4096):
        connection.sendall(data)


def status(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(line.split()[1] for line in text.splitlines() if line.startswith(key + ":"))


def main():
    in_network_namespace()
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(Target(echo, host="127.0.0.2"))
        plain = BASE.format(M=M, port=target.port)
        with Init(config=plain + "forward = 127.0.0.1:81\n", pid1=False) as init:
            init.wait_line("passing connections on from 127.0.0.1:81 to web")
            until(lambda: lookup("web") == "['127.0.0.2']", lambda: lookup("web"), 60)
            until(lambda: lookup("web.muster") == "['127.0.0.2']", lambda: f"in the zone: {lookup('web.muster')}", 60)
            until(lambda: "not known" in lookup("nobody.muster"), lambda: f"no such name: {lookup('nobody.muster')}", 60)
            equal(ask(53, "web", AAAA).answers(), [], "no IPv6")
            until(lambda: hears(81), "through port 81", 60)
            equal(int(status(find_sidecar(init.pid), "CapEff"), 16), 0, "the sidecar has no capabilities")
            init.write("muster.ini", plain + "forward = 127.0.0.1:82\n")
            init.signal(signal.SIGHUP)
            until(lambda: hears(82), "the new port", 60)
            until(lambda: not hears(81), "the old port is closed", 60)
            until(lambda: answers("web") == ["127.0.0.2"], "names are answered again", 60)
            init.signal(signal.SIGTERM)
            equal(init.wait(), 0, "exit code")


def find_sidecar(parent):
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if path.read_text().strip() == "muster-sidecar" and status(path.parent.name, "PPid") == str(parent):
                return path.parent.name
    return "0"


main()
