# SPDX-License-Identifier: MIT
"""Malformed requests never get 200, never take the sidecar down, and do not leak into the next request
of a connection: those that came to mind, and six hundred that are made up, also with sanitizers."""

import concurrent.futures
import contextlib
import socket

from lib import BUILD, SIDECAR, check, equal
from sidecarlib import Page, Sidecar
from sidecarlib.malformed import CLOSE, HOST, corpus, request

HEAD = b"Host: localhost\r\n"
CASES = {
    "two lengths": b"GET /livez HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "length and chunked": b"GET /livez HTTP/1.1\r\n" + HEAD +
                          b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": b"GET /livez HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n",
    "huge length": b"GET /livez HTTP/1.1\r\n" + HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "smuggled": b"GET /nope HTTP/1.1\r\n" + HEAD + b"Content-Length: 40\r\n\r\nGET /livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "long path": b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "long method": b"G" * 10000 + b" /livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "long header": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 100000 + b"\r\n\r\n",
    "many headers": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X: a\r\n" * 20000 + b"\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n",
    "asterisk, GET": b"GET * HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xab" * 300 + b"\r\n\r\n",
    "no version": b"GET /livez\r\n\r\n",
    "version 3": b"GET /livez HTTP/3.0\r\n" + HEAD + b"\r\n",
    "blank in the target": b"GET /livez?a b HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "NUL": b"GET /livez\0 HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n",
    "empty lines": b"\r\n" * 50000,
    "no colon": b"GET /nope HTTP/1.1\r\n" + HEAD + b"nonsense\r\nConnection: close\r\n\r\n",
    "no name": b"GET /livez HTTP/1.1\r\n" + HEAD + b": x\r\nConnection: close\r\n\r\n",
    "name beyond z": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X{: y\r\nConnection: close\r\n\r\n",
    "name below A": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X@: y\r\nConnection: close\r\n\r\n",
    "name beyond Z": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X[: y\r\nConnection: close\r\n\r\n",
    "name beyond 9": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X;: y\r\nConnection: close\r\n\r\n",
    "DEL in a value": b"GET /livez HTTP/1.1\r\n" + HEAD + b"X: a\x7fb\r\nConnection: close\r\n\r\n",
    "random": bytes((n * 167 + 13) % 256 for n in range(20000)) + b"\r\n\r\n",
}


GOOD = (request(), request(headers=HOST.replace(b" ", b"")), b"\r\n" + request(path=b"/livez?a=b"),
        request(headers=b"Host: \tlocalhost  \r\nX:\r\nY: \r\nCookie: a=b; c=\xe9\r\n"), request(headers=b"", version=b"HTTP/1.0"),
        request(headers=HOST + b"09AZaz!#$%&'*+-.^_`|~: \ta\tb\r\n"), request(method=b"HEAD"), request(path=b"/%6civez"), b"GET /livez HTTP/1.1\r\n" + CLOSE + HOST + b"\r\n")
COUNT = 600


def exchange(sidecar, data):
    """Sends this and that there will be no more; returns what comes until the server closes."""
    received = b""
    with socket.create_connection(("127.0.0.1", sidecar.port), timeout=60) as client:
        with contextlib.suppress(OSError):  # it may have closed before all was sent
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while part := client.recv(65536):
                received += part
    return received


def check_corpus(program):
    with Sidecar(program=program) as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}], phase="ready")
        for data in GOOD:
            equal(exchange(sidecar, data)[:12], b"HTTP/1.1 200", f"well-formed: {data}")
        answered = 0
        requests = list(corpus(COUNT))
        # side by side: it may take until its deadline before one that has not said all is closed
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda one: exchange(sidecar, one[1]), requests))
        for (name, data), received in zip(requests, answers):
            check(b" 200 " not in received, f"{name}: {data[:300]}: {received[:300]}")
            answered += received.startswith(b"HTTP/1.1 4")
        check(answered > COUNT * 2 // 3, f"only {answered} are told what is wrong")
        sidecar.alive()
        sidecar.process.terminate()
        equal(sidecar.wait(), 0, "exit code")


def check_cases():
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}])
        for name, data in CASES.items():
            try:
                received = sidecar.raw(data)
            except (BrokenPipeError, ConnectionResetError):
                received = b""
            check(b" 200 " not in received, f"{name}: {received[:300]}")
            if name in ("blank in the target", "no host"):
                equal((received[:12], received.count(b"HTTP/1.1 ")), (b"HTTP/1.1 400", 1), f"{name}: {received}")
            sidecar.alive()


check_cases()
for built in (SIDECAR, BUILD / "sanitize-address-undefined" / "muster-sidecar"):
    if built.exists():
        check_corpus(built)
    else:
        print(f"{built} is not built: left out")
