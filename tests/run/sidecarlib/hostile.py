# SPDX-License-Identifier: MIT
"""Services that are well, sick, broken or hostile, each with the verdict that a probe must come to and
the phase that it must name.

    with Hostile() as hostile:
        for mode in hostile.modes: mode.name, mode.url, mode.reason, mode.phase
"""

import contextlib
import gzip
import socket
import ssl
import struct
import subprocess
import tempfile
import time

from lib import need
from sidecarlib import OK, Target, answering, h2, mute_until_closed, read_head, silent_port

TIMEOUT = 1500  # ms, of the probes that these verdicts are for
FIRST, STATUS, BODY, TLS, RESOLVE, CONNECT = "first byte", "status", "body", "tls", "resolve", "connect"
BEGIN = b"HTTP/1.1 200 OK\r\n"
TOO_LONG = "the answer's header is too long"
NOT_HTTP = "the answer is not HTTP"
NOT_H2 = "closed without an answer in HTTP/2"


def late(phase):
    return f"timed out after {TIMEOUT}ms ({phase})"


def then(*parts, forever=b"", pause=0.0, hold=False):
    """Reads a request, sends the parts, then `forever` again and again, or holds the connection open."""
    def serve(connection):
        read_head(connection)
        for part in parts:
            connection.sendall(part)
        while forever:
            connection.sendall(forever)
            time.sleep(pause)
        if hold:
            mute_until_closed(connection)

    return serve


def reset(connection):
    read_head(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_at_once(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_closed(connection):
    read_head(connection)
    connection.shutdown(socket.SHUT_WR)
    mute_until_closed(connection)


def only_plain(connection):
    status = 200 if b"accept-encoding" not in read_head(connection).lower() else 500
    connection.sendall(b"HTTP/1.1 %d X\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nno!!" % status)


def without_cookie(connection):
    """Sets a cookie on a redirect, and is ill when it gets that back."""
    head = read_head(connection)
    connection.sendall(b"HTTP/1.1 302 X\r\nSet-Cookie: a=b\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
    head = read_head(connection)
    connection.sendall(OK if b"cookie" not in head.lower() else OK.replace(b"200", b"500"))


def redirects(location, code=302):
    """Answers with a redirect, but at /well, which is well; %d in the location is the own port."""
    def serve(connection):
        where = location.replace("%d", str(connection.getsockname()[1])).encode()
        away = b"HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (code, where)
        while head := read_head(connection):
            connection.sendall(OK if b" /well " in head else away)

    return serve


def three_redirects(connection):
    next_path = {b"/health": b"/2", b"/2": b"3", b"/3": b"./well"}
    while head := read_head(connection):
        where = next_path.get(head.split()[1])
        away = b"HTTP/1.1 307 X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(away % where if where else OK)


def bomb():
    """1 GiB of nothing, packed and packed again."""
    once = gzip.compress(bytes(1 << 24)) * 64
    body = gzip.compress(once)
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def chunked(*chunks, **more):
    return then(BEGIN + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, **more)


# name: (service, reason, phase); no reason: healthy
HTTP = {
    "200": (answering(OK), "", ""),
    "204": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), "", ""),
    "204 with a body": (answering(b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nok\n"), "", ""),
    "304": (answering(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "", ""),
    "HTTP/1.0": (then(b"HTTP/1.0 200 OK\r\n\r\nok\n"), "", ""),
    "answers before it is asked": (lambda c: (c.sendall(OK), mute_until_closed(c)), "", ""),
    "redirect to a path": (redirects("/well"), "", ""),
    "redirect to its own URL": (redirects("http://127.0.0.1:%d/well", code=308), "", ""),
    "three redirects": (three_redirects, "", ""),
    "redirect without a place": (answering(b"HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n"), "", ""),
    "endless body": (then(BEGIN + b"\r\n", forever=b"a" * 65536), "", ""),
    "endless chunks": (chunked(forever=b"4000\r\n" + b"a" * 0x4000 + b"\r\n"), "", ""),
    "compression bomb": (then(bomb(), hold=True), "", ""),
    "compressed without being asked": (only_plain, "", ""),
    "cookie": (without_cookie, "", ""),
    "interim answer first": (then(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK), "", ""),
    "more than it announced": (then(BEGIN + b"Content-Length: 2\r\n\r\nok, and this is too much", hold=True), "", ""),
    "503": (answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "status 503", STATUS),
    "404": (answering(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), "status 404", STATUS),
    "500 with an endless body": (then(b"HTTP/1.1 500 No\r\n\r\n", forever=b"a" * 65536), "status 500", STATUS),
    "503 with a stuck body": (then(b"HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\n", hold=True), "status 503", STATUS),
    "redirect to another port": (redirects("http://127.0.0.1:1/x?secret=1"), "redirects to http://127.0.0.1:1", STATUS),
    "redirect to another scheme": (redirects("https://127.0.0.1/"), "redirects to https://127.0.0.1:443", STATUS),
    "redirect to another host": (redirects("//localhost:%d/"), None, STATUS),
    "redirect to a file": (redirects("file:///etc/passwd"), "redirects to file://", STATUS),
    "redirect to gopher": (redirects("gopher://127.0.0.1:%d/"), None, STATUS),
    "redirect to metadata": (redirects("http://169.254.169.254/latest?token=1"),
                             "redirects to http://169.254.169.254:80", STATUS),
    "redirect to metadata as one number": (redirects("http://2852039166/"),
                                           "redirects to http://169.254.169.254:80", STATUS),
    "redirect to a host behind a user": (redirects("http://127.0.0.1:%d@evil.example/"),
                                         "redirects to http://evil.example:80", STATUS),
    "redirect to nonsense": (redirects("http://[::1/"), "redirects to what is not a URL", STATUS),
    "redirect loop": (redirects("/again"), "more than 3 redirects", STATUS),
    "slow body": (then(BEGIN + b"Content-Length: 100000\r\n\r\n", forever=b"a", pause=0.05), late(BODY), BODY),
    "chunks that never end": (chunked(b"2\r\nok\r\n", hold=True), late(BODY), BODY),
    "body cut short": (then(BEGIN + b"Content-Length: 1000\r\n\r\nabc"), "the answer was cut short (body)", BODY),
    "chunks cut short": (chunked(b"1000\r\nabc"), "the answer was cut short (body)", BODY),
    "chunk of no size": (chunked(b"hello\r\n\r\n", hold=True), "the body is not HTTP", BODY),
    "never answers": (mute_until_closed, late(FIRST), FIRST),
    "slow header": (then(BEGIN, forever=b"X", pause=0.05), late(STATUS), STATUS),
    "slow status line": (then(b"HTTP/1.1 2", hold=True), late(FIRST), FIRST),
    "header and no more": (then(BEGIN, hold=True), late(STATUS), STATUS),
    "endless header": (then(BEGIN, forever=b"X-A: " + b"a" * 1000 + b"\r\n"), TOO_LONG, STATUS),
    "5001 header lines": (then(BEGIN + b"X-Header: none\r\n" * 5001 + b"\r\nok\n"), TOO_LONG, STATUS),
    "one endless header line": (then(BEGIN + b"X: ", forever=b"a" * 4096), TOO_LONG, STATUS),
    "flood of interim answers": (then(forever=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50), TOO_LONG, STATUS),
    "slow interim answers": (then(forever=b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05), late(STATUS), STATUS),
    "reset": (reset, "connection reset (first byte)", FIRST),
    "reset after accept": (reset_at_once, None, None),
    "closed": (then(), "closed without an answer", FIRST),
    "half closed": (half_closed, "closed without an answer", FIRST),
    "garbage": (then(bytes(range(128, 256)) * 8), NOT_HTTP, FIRST),
    "HTTP/0.9": (then(b"hello\n"), NOT_HTTP, FIRST),
    "HTTP/2": (then(h2.PREFACE), NOT_HTTP, FIRST),
    "no status": (then(b"HTTP/1.1 OK\r\n\r\n"), NOT_HTTP, None),
    "NUL in the status line": (then(b"HTTP/1.1 2\x0000 OK\r\n\r\n"), NOT_HTTP, None),
    "NUL in a header": (then(BEGIN + b"X: a\0b\r\nContent-Length: 0\r\n\r\n"), NOT_HTTP, STATUS),
    "negative length": (then(BEGIN + b"Content-Length: -5\r\n\r\nabc"), NOT_HTTP, STATUS),
}

GRPC = {
    "grpc serving": (h2.serving(lambda s, name: h2.answer(s, h2.health(1))), "", ""),
    "grpc serving, more fields": (h2.serving(lambda s, name: h2.answer(s, h2.message(b"\x12\x01x\x08\x01"))), "", ""),
    "grpc pings meanwhile": (h2.serving(lambda s, name: h2.frame(h2.PING, 0, 0, bytes(8)) * 100 +
                                        h2.answer(s, h2.health(1))), "", ""),
    "grpc not serving": (h2.serving(lambda s, name: h2.answer(s, h2.health(2))), "NOT_SERVING", STATUS),
    "grpc state unknown": (h2.serving(lambda s, name: h2.answer(s, h2.health(0))), "UNKNOWN", STATUS),
    "grpc state of the future": (h2.serving(lambda s, name: h2.answer(s, h2.health(77))), "unknown state", STATUS),
    "grpc answers before it has heard all": (
        h2.serving(lambda s, name: h2.headers(s, {**h2.GRPC, "grpc-status": "5"}, end=True) +
                   h2.frame(h2.RST_STREAM, 0, s, bytes(4)), patient=False),
        "the server has no service of this name", STATUS),
    "grpc service unknown": (h2.serving(lambda s, name: h2.headers(s, {**h2.GRPC, "grpc-status": "5"}, end=True)),
                             "the server has no service of this name", STATUS),
    "grpc without a health service": (h2.serving(lambda s, name: h2.headers(s, {**h2.GRPC, "grpc-status": "12"}, end=True)),
                                      "the server has no health service", STATUS),
    "grpc unavailable": (h2.serving(lambda s, name: h2.headers(s, {**h2.GRPC, "grpc-status": "14"}, end=True)),
                         "grpc status 14 (UNAVAILABLE)", STATUS),
    "grpc status of the future": (h2.serving(lambda s, name: h2.headers(s, {**h2.GRPC, "grpc-status": "99"}, end=True)),
                                  "grpc status 99", STATUS),
    "grpc status that is no number": (h2.serving(lambda s, name: h2.answer(s, h2.health(1), code="0x")),
                                      "the answer has no grpc-status", BODY),
    "grpc without a status": (h2.serving(lambda s, name: h2.headers(s, h2.GRPC) + h2.data(s, h2.health(1), end=True)),
                              "the answer has no grpc-status", BODY),
    "grpc of another type": (h2.serving(lambda s, name: h2.answer(s, h2.health(1), fields={":status": "200"})),
                             "the answer is not gRPC", BODY),
    "grpc 404": (h2.serving(lambda s, name: h2.headers(s, {":status": "404"}, end=True)), "status 404", STATUS),
    "grpc compressed": (h2.serving(lambda s, name: h2.answer(s, h2.message(b"\x08\x01", compressed=1))),
                        "the answer is not a HealthCheckResponse", BODY),
    "grpc message cut short": (h2.serving(lambda s, name: h2.answer(s, h2.health(1)[:6])),
                               "the answer is not a HealthCheckResponse", BODY),
    "grpc message of nonsense": (h2.serving(lambda s, name: h2.answer(s, h2.message(b"\xff" * 20))),
                                 "the answer is not a HealthCheckResponse", BODY),
    "grpc huge message": (h2.serving(lambda s, name: h2.answer(s, h2.message(bytes(16000)))),
                          "the answer is not a HealthCheckResponse", BODY),
    "grpc no message": (h2.serving(lambda s, name: h2.answer(s, b"")),
                        "the answer is not a HealthCheckResponse", BODY),
    "grpc never answers": (h2.serving(lambda s, name: b""), late(FIRST), FIRST),
    "grpc never ends": (h2.serving(lambda s, name: h2.headers(s, h2.GRPC) + h2.data(s, h2.health(1))), late(BODY), BODY),
    "grpc stream reset": (h2.serving(lambda s, name: h2.frame(h2.RST_STREAM, 0, s, b"\0\0\0\2")),
                          "the server reset the stream", FIRST),
    "grpc connection refused by GOAWAY": (h2.serving(lambda s, name: h2.frame(h2.GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\2")),
                                          None, FIRST),
    "grpc endless header": (h2.serving(lambda s, name: h2.frame(h2.HEADERS, 0, s, h2.block(h2.GRPC)) +
                                       h2.frame(h2.CONTINUATION, 0, s, h2.block({"a": "b" * 100}) * 100) * 100),
                            None, None),
    "grpc asked of HTTP/1.1": (then(OK), None, FIRST),
    "grpc asked of HTTP/1.1 that stays": (then(OK, hold=True), NOT_H2, FIRST),
    "grpc asked of garbage": (then(bytes(range(256)) * 8), None, FIRST),
    "grpc asked of the silent": (mute_until_closed, late(FIRST), FIRST),
    "grpc closed": (lambda connection: connection.recv(1), None, FIRST),
}


def first_failure(probe):
    """(reason, phase) of a probe's first check as /status has it: one that fails may have been made again since."""
    first = probe["failures"][0] if probe["failures"] else {"reason": "", "phase": None}
    return first["reason"], first["phase"]


class Mode:
    def __init__(self, name, url, reason, phase):
        self.name, self.url, self.reason, self.phase = name, url, reason, phase

    def __repr__(self):
        return f"{self.name} ({self.url})"

    def judges(self, ok, reason, phase):
        """Whether this is the verdict. A reason of None may be any, and so a phase."""
        return (ok == (self.reason == "") and (self.reason is None or reason == self.reason) and
                (self.phase is None or ok or phase == self.phase))


class Certificates:
    """An authority that the sidecar trusts (`env`), and what it and others signed."""

    def __init__(self, folder):
        self.folder, self.openssl = folder, need("openssl")
        self.run("req", "-x509", *self.key("ca"), "-days", "30", "-subj", "/CN=an authority", "-out", "ca.crt")
        self.run("req", "-x509", *self.key("self"), "-days", "2", "-subj", "/CN=x", "-addext",
                 "subjectAltName=IP:127.0.0.1", "-out", "self.crt")
        self.sign("good", "IP:127.0.0.1", "7")
        self.sign("other", "DNS:other.example", "7")
        self.sign("old", "IP:127.0.0.1", "-1")
        self.env = {"SSL_CERT_FILE": f"{folder}/ca.crt"}

    def run(self, *words):
        subprocess.run([self.openssl, *words], cwd=self.folder, check=True, capture_output=True)

    def key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]

    def sign(self, name, what, days):
        with open(f"{self.folder}/{name}.ext", "w", encoding="ascii") as file:
            file.write(f"subjectAltName={what}\n")
        self.run("req", *self.key(name), "-subj", f"/CN={name}", "-out", f"{name}.csr")
        self.run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                 "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    def serve(self, name, serve, protocols=()):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.folder}/{name}.crt", f"{self.folder}/{name}.key")
        if protocols:
            context.set_alpn_protocols(list(protocols))

        def secured(connection):
            with context.wrap_socket(connection, server_side=True) as secure:
                serve(secure)

        return secured


def tls_modes(certificates):
    grpc, good = h2.serving(lambda s, name: h2.answer(s, h2.health(1))), certificates.serve
    return [("https", "https", good("good", answering(OK)), "", ""),
            ("https 503", "https", good("good", answering(OK.replace(b"200", b"503"))), "status 503", STATUS),
            ("https self-signed", "https", good("self", answering(OK)), "tls: the certificate is self-signed", TLS),
            ("https expired", "https", good("old", answering(OK)), "tls: the certificate has expired", TLS),
            ("https of another name", "https", good("other", answering(OK)),
             "tls: the certificate is for another name", TLS),
            ("https asked of HTTP", "https", lambda connection: connection.sendall(OK), "tls: the handshake failed", TLS),
            ("https asked of the silent", "https", mute_until_closed, late(TLS), TLS),
            ("https closed", "https", lambda connection: connection.recv(1), None, TLS),
            ("https never answers", "https", good("good", mute_until_closed), late(FIRST), FIRST),
            ("http asked of https", "http", good("good", answering(OK)), None, FIRST),
            ("grpcs serving", "grpcs", good("good", grpc, ["h2"]), "", ""),
            ("grpcs asked of HTTP/1.1", "grpcs", good("good", answering(OK), ["http/1.1"]), None, None),
            ("tcp that is closed", "tcp", lambda connection: None, "", ""),
            ("tcp that is silent", "tcp", mute_until_closed, "", "")]


def refused_modes(port):
    """Nothing is there, or nothing may be connected to."""
    link, spelt = "resolve: an address of a link or of metadata", "resolve: an IPv4 address is written as four numbers"
    modes = [Mode("connection refused", f"http://127.0.0.1:{port}/", "connection refused", CONNECT),
             Mode("tcp refused", f"tcp://127.0.0.1:{port}", "connection refused", CONNECT),
             Mode("grpc refused", f"grpc://127.0.0.1:{port}", "connection refused", CONNECT)]
    for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::169.254.169.254]",
                 "[2002:a9fe:a9fe::1]", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16"):
        modes.append(Mode(f"metadata as {host}", f"http://{host}/", link, RESOLVE))
    for host in ("2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.16689662", "0177.1"):
        modes.append(Mode(f"metadata as {host}", f"tcp://{host}:80", spelt, RESOLVE))
    return modes


class Hostile:
    """All of them at once, each on a port of its own."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.modes, self.targets, self.env = [], [], {}

    def add(self, name, scheme, serve, reason, phase):
        target = self.stack.enter_context(Target(serve))
        path = "/health" if scheme.startswith("http") else ""
        self.targets.append(target)
        self.modes.append(Mode(name, f"{scheme}://127.0.0.1:{target.port}{path}", reason, phase))

    def __enter__(self):
        certificates = Certificates(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.env = certificates.env
        for name, (serve, reason, phase) in HTTP.items():
            self.add(name, "http", serve, reason, phase)
        for name, (serve, reason, phase) in GRPC.items():
            self.add(name, "grpc", serve, reason, phase)
        for mode in tls_modes(certificates):
            self.add(*mode)
        nobody, port = silent_port()
        self.stack.callback(nobody.close)
        self.modes += refused_modes(port)
        return self

    def __exit__(self, *error):
        for target in self.targets:  # all at once, not one after the other
            target.stopping = True
        self.stack.close()
