# SPDX-License-Identifier: MIT
"""Whatever an HTTP service answers, slowly, endlessly or wrongly, the probe has a verdict in time that
names the step that failed, and the sidecar's memory stays what it was."""

import contextlib
import os
import socket
import struct
import time

from lib import check, equal
from sidecarlib import OK, Page, Sidecar, Target, answering, mute_until_closed, read_head, resident


def then(*parts, forever=b"", pause=0.0):
    """Reads a request, sends the parts, then `forever` again and again."""
    def serve(connection):
        read_head(connection)
        for part in parts:
            connection.sendall(part)
        while forever:
            connection.sendall(forever)
            time.sleep(pause)

    return serve


def reset(connection):
    read_head(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def only_plain(connection):
    status = 200 if b"accept-encoding" not in read_head(connection).lower() else 500
    connection.sendall(b"HTTP/1.1 %d X\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nno!!" % status)


BEGIN = b"HTTP/1.1 200 OK\r\n"
LATE = "timed out after 400ms (answer)"
TOO_LONG = "the answer's header is too long"
NOT_HTTP = "the answer is not HTTP"

CASES = {
    # what is a success: a final status from 200 to 399, whatever becomes of the body
    "200": (answering(OK), ""),
    "204": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), ""),
    "redirect is not followed": (then(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), ""),
    "endless body": (then(BEGIN + b"\r\n", forever=b"a" * 65536), ""),
    "slow body": (then(BEGIN + b"Content-Length: 100000\r\n\r\n", forever=b"a", pause=0.05), ""),
    "body cut short": (then(BEGIN + b"Content-Length: 1000\r\n\r\nabc"), ""),
    "compressed without being asked": (only_plain, ""),
    "interim answer first": (then(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK), ""),
    # what is a failure
    "503": (answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "status 503"),
    "404": (answering(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), "status 404"),
    "never answers": (mute_until_closed, LATE),
    "slow header": (then(BEGIN, forever=b"X", pause=0.05), LATE),
    "endless header": (then(BEGIN, forever=b"X-A: " + b"a" * 1000 + b"\r\n"), TOO_LONG),
    "flood of interim answers": (then(forever=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50), TOO_LONG),
    "slow interim answers": (then(forever=b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05), LATE),
    "reset": (reset, "connection reset (answer)"),
    "closed": (then(), "closed without an answer"),
    "garbage": (then(bytes(range(128, 256)) * 8), NOT_HTTP),
    "HTTP/0.9": (then(b"hello\n"), NOT_HTTP),
    "HTTP/2": (then(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), NOT_HTTP),
    "negative length": (then(BEGIN + b"Content-Length: -5\r\n\r\nabc"), NOT_HTTP),
}


def check_case(sidecar, name, port, reason):
    serial = sidecar.watch(1, f"http://127.0.0.1:{port}/health", period=60000, timeout=400)
    result = sidecar.wait_result(lambda one: one["serial"] == serial, name)
    equal((name, result["ok"], result["reason"]), (name, not reason, reason), "verdict")
    sidecar.drop(1, serial)


def main():
    with contextlib.ExitStack() as stack:
        sidecar = stack.enter_context(Sidecar())
        Page(sidecar.run_dir, [{"name": "web"}])
        targets = {name: stack.enter_context(Target(serve)) for name, (serve, _) in CASES.items()}
        for turn in range(2):
            for name, (_, reason) in CASES.items():
                check_case(sidecar, name, targets[name].port, reason)
            if turn == 0:
                before = resident(sidecar.pid)
        grown = resident(sidecar.pid) - before
        check(grown < 1024 or "ASAN_OPTIONS" in os.environ, f"memory grew by {grown} kB")
        sidecar.alive()


main()
