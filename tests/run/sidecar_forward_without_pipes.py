# SPDX-License-Identifier: MIT
"""`forward` where its user is given no pipe worth having, since it has many already: what a slow reader does not take
at once is kept all the same, and everything arrives whole, in both directions."""

import contextlib
import hashlib
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

from lib import IS_ROOT, SECONDS, check, equal, free_port, need, skip
from sidecarlib import Sidecar

CONFIG = """
[muster]
mode = testing
[address:server]
port = {server}
testing = 127.0.0.1
check = no
forward = 127.0.0.1:{at_server}
"""
# takes what the user may have of pipes, tells how that went, and keeps them
HOARD = """
import fcntl, os, sys
F_SETPIPE_SZ = 1031
size = int(open("/proc/sys/fs/pipe-max-size").read())
try:
    pipes = []
    while len(pipes) < 400:
        pipes.append(os.pipe())
        fcntl.fcntl(pipes[-1][1], F_SETPIPE_SZ, size)
    print("there is no end of them", flush=True)
except PermissionError:
    print("no more", flush=True)
sys.stdin.read()
"""
BYTES = os.urandom(1 << 20) * 32


def unprivileged():
    """Words before a command: as a user whose pipes are counted."""
    return [need("setpriv"), "--reuid=4327", "--regid=4327", "--clear-groups"] if IS_ROOT else []


@contextlib.contextmanager
def without_pipes():
    with subprocess.Popen([*unprivileged(), sys.executable, "-c", HOARD], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as hoard:
        answer = hoard.stdout.readline().strip()
        try:
            if answer != "no more":
                skip(f"pipes cannot be used up here: {answer or 'no answer'}")
            yield
        finally:
            hoard.stdin.close()


def digest_of(one):
    digest = hashlib.sha256()
    while part := one.recv(1 << 16):
        digest.update(part)
    return digest.digest()


def serve(listener, release):
    """Reads late and through a narrow window, and then sends as much."""
    connection, _ = listener.accept()
    with connection:
        check(release.wait(SECONDS), "the client has begun")
        digest = digest_of(connection)
        connection.sendall(digest + BYTES)


def main():
    ports = dict(zip(("server", "at_server"), {free_port() for _ in range(20)}))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", ports["server"]))
    listener.listen()
    release = threading.Event()
    threading.Thread(target=serve, args=(listener, release), daemon=True).start()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(directory, 0o755)
        path = pathlib.Path(directory, "muster.ini")
        path.write_text(CONFIG.format(**ports))
        stack.enter_context(without_pipes())
        stack.enter_context(Sidecar("-c", path, linked=False, prefix=unprivileged()))
        one = stack.enter_context(socket.socket())
        one.settimeout(4 * SECONDS)  # all is to be sent within
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", ports["at_server"]))
        one.sendall(BYTES[:1 << 16])
        release.set()
        one.sendall(BYTES[1 << 16:])
        one.shutdown(socket.SHUT_WR)
        whole = hashlib.sha256(BYTES).digest()
        equal(digest_of(one), hashlib.sha256(whole + BYTES).digest(), "what came back")


main()
