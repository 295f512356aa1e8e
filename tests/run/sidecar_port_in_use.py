# SPDX-License-Identifier: MIT
"""A port that is in use is an error that says so, with exit code 1, and never another port in silence;
several addresses are served at once, and without any it is 127.0.0.1:9180."""

import socket
import subprocess

from lib import SIDECAR, contains, equal, until
from sidecarlib import Page, Sidecar, Target


def served(sidecar):
    return [line.rsplit(":", 1)[1].rstrip("/") for line in sidecar.stderr.splitlines() if "serving" in line]


def main():
    with Target() as taken:
        for address in (f"127.0.0.1:{taken.port}", f"localhost:{taken.port}"):
            result = subprocess.run([SIDECAR, "--listen", address], capture_output=True, text=True, check=False)
            equal(result.returncode, 1, "exit code")
            contains(result.stderr, f"cannot listen on {address}: the port is in use", "message")
            equal(result.stderr.count("serving"), 0, "what it serves")
    result = subprocess.run([SIDECAR, "--listen", "192.0.2.1:0"], capture_output=True, text=True, check=False)
    equal(result.returncode, 1, "exit code for an address of another machine")
    for wrong in ("127.0.0.1:x", "127.0.0.1:70000", "[::1", "1:2:3"):
        result = subprocess.run([SIDECAR, "--listen", wrong], capture_output=True, text=True, check=False)
        equal(result.returncode, 1, wrong)
        contains(result.stderr, f'"{wrong}" is not an address to listen on', "message")
    # in a network of its own, so that the port is nobody else's
    with subprocess.Popen(["unshare", "--map-root-user", "--net", SIDECAR], stderr=subprocess.PIPE, text=True) as process:
        said = next((line for line in process.stderr if "serving" in line or "unshare:" in line), "nothing")
        process.terminate()
    if "unshare:" not in said:
        equal(said, "muster-sidecar: serving http://127.0.0.1:9180/\n", "where it serves by itself")
    with Sidecar("--listen", "127.0.0.2:0", linked=False) as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}])
        until(lambda: len(served(sidecar)) == 2, "both addresses are served")
        ports = served(sidecar)
        for host, port in zip(("127.0.0.2", "127.0.0.1"), ports):
            with socket.create_connection((host, int(port))) as client:
                client.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
                contains(client.recv(4096).decode(), " 200 ", host)


main()
