# SPDX-License-Identifier: MIT
"""Requests that are not HTTP, or not HTTP that a server for GET and HEAD should answer: made up from a
fixed seed, so that each run sends the same ones."""

import random

HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
PATHS = (b"/livez", b"/readyz", b"/status", b"/health", b"/")


def request(line=None, headers=HOST, body=b"", path=b"/livez", method=b"GET", version=b"HTTP/1.1"):
    return (line or method + b" " + path + b" " + version) + b"\r\n" + headers + CLOSE + b"\r\n" + body


def lengths(rng):
    """Content-Length that is none, or another one, or beside Transfer-Encoding."""
    values = [b"-1", b"+1", b"0x1", b"1 1", b"1,2", b"9" * 30, b"18446744073709551616", b"1e3", b"a", b"\xff", b"1.0",
              b"00000000000000000001x", b"-0", b" ", b"4294967296999999999999"]
    value = rng.choice(values)
    kind = rng.randrange(4)
    if kind == 0:
        return request(headers=HOST + b"Content-Length: " + value + b"\r\n", body=b"x" * rng.randrange(4))
    if kind == 1:
        first, second = rng.sample(range(1, 99), 2)
        return request(headers=HOST + b"Content-Length: %d\r\nContent-Length: %d\r\n" % (first, second), body=b"x" * 99)
    if kind == 2:
        both = [b"Content-Length: %d\r\n" % rng.randrange(1, 99), b"Transfer-Encoding: chunked\r\n"]
        rng.shuffle(both)
        return request(headers=HOST + b"".join(both), body=b"0\r\n\r\n")
    smuggled = request(path=rng.choice(PATHS))
    return request(path=b"/nope", headers=HOST + b"Content-Length: %d\r\n" % len(smuggled), body=smuggled)


def codings(rng):
    coding = rng.choice([b"chunked", b"xchunked", b"identity", b"chunked, identity", b"\tchunked", b"chunked\x0b", b"gzip",
                         b"chunked;q=0.5", b"\x00chunked", b"CHUNKED", b"chunked\r\nTransfer-Encoding: x", b"cow"])
    chunk = rng.choice([b"0\r\n\r\n", b"-1\r\n\r\n", b"ffffffffffffffffff\r\n", b"5\r\nab", b"zz\r\n", b"0;" + b"x" * 500])
    return request(headers=HOST + b"Transfer-Encoding: " + coding + b"\r\n", body=chunk)


def nuls(rng):
    """A NUL somewhere in the head; not in place of a CR before LF, for which no harm is known."""
    good = request(path=rng.choice(PATHS))
    at = rng.choice([at for at in range(len(good) - 2) if good[at:at + 1] != b"\r"])
    return good[:at] + b"\0" + good[at + rng.randrange(2):]


def foldings(rng):
    """A header that goes on in another line."""
    fold = rng.choice([b"X: a\r\n b\r\n", b"X: a\r\n\tb\r\n", b"X:\r\n \r\n", b"Host: local\r\n host\r\n",
                       b"X: a\r\n Transfer-Encoding: chunked\r\n", b"X: a\r\n  Content-Length: 5\r\n"])
    return request(path=rng.choice(PATHS), headers=HOST + fold)


def bare_newlines(rng):
    """Lines that end in LF, or in CR."""
    good = request(path=rng.choice(PATHS))
    ends = [at for at in range(len(good)) if good[at:at + 2] == b"\r\n"]
    at = rng.choice(ends)
    return rng.choice([good[:at] + good[at + 1:], good.replace(b"\r\n", b"\n"), good[:at + 1] + good[at + 2:] + b"\r\n\r\n"])


def lines(rng):
    """Something else in place of a request line."""
    path = rng.choice(PATHS)
    return request(line=rng.choice([
        b"GET " + path, b"GET", b" ", b"GET  " + path + b" HTTP/1.1", b"GET " + path + b"  HTTP/1.1",
        b"GET " + path + b" HTTP/1.1 ", b"GET " + path + b" http/1.1", b"GET " + path + b" HTTP/1.1.1",
        b"GET " + path + b" HTTP/01.1", b"GET " + path + b" HTTP/1.", b"GET " + path + b" HTTP/2.0",
        b"GET " + path + b" HTTP/0.9", b"GET " + path + b" HTTP/%d.%d" % (rng.randrange(2, 9), rng.randrange(10)),
        b"GET " + path + b" HTTPS/1.1", b"GET " + path + b" FTP/1.1", b"GET " + path + b" x HTTP/1.1",
        b"GET\t" + path + b"\tHTTP/1.1", b"\tGET " + path + b" HTTP/1.1", b" GET " + path + b" HTTP/1.1",
        path + b" GET HTTP/1.1", b"GET:" + path + b" HTTP/1.1", b"GET HTTP/1.1", b"HTTP/1.1 200 OK",
        b"GET " + path.lstrip(b"/") + b" HTTP/1.1", b"GET \\" + path + b" HTTP/1.1", b"GET ?" + path + b" HTTP/1.1"]))


def forms(rng):
    """Targets that are no path of ours."""
    path = rng.choice(PATHS[:4])
    return request(path=rng.choice([
        b"https://localhost" + path, b"//localhost" + path, b"*", b"localhost:80",
        b"http://evil.example" + path, b"/%00" + path, path + b"%00", b"/.." + path, b"/%2e%2e" + path, path + b"/..",
        path + b"%", path + b"%4", path + b"%zz", path + b"#x", path + b"\x80", path + b"\x7f", path + b"\x01",
        b"file:///etc/passwd", b"/" + b"../" * 20 + b"etc/passwd", b"/%c0%ae%c0%ae/etc/passwd", path + b";x",
        path.upper(), path + b"/", b"/" + path, path + b"%20", path + b"%0d%0aX:%20y"]))


def methods(rng):
    return request(method=rng.choice([b"get", b"POST", b"PUT", b"PATCH", b"DELETE", b"TRACE", b"CONNECT", b"OPTIONS", b"PRI",
                                      b"G" * rng.randrange(100, 10000), b"GE\x01T", b"GET\x00", b"\xffGET", b"{}", b"GETT",
                                      b"HEAD\x0b", b"M-SEARCH"]))


def sizes(rng):
    """More than there is room for."""
    many = rng.choice([20000, 100000, 300000])
    return rng.choice([
        request(path=b"/" + b"a" * many), request(path=b"/livez?" + b"a" * many), request(path=b"/" + b"%61" * (many // 3)),
        request(headers=HOST + b"X: " + b"a" * many + b"\r\n"), request(headers=HOST + b"X: a\r\n" * (many // 6)),
        request(headers=HOST + b"a" * many + b": x\r\n"), request(headers=b"Host: " + b"a" * many + b"\r\n"),
        b"\r\n" * (many // 2), b"a" * many, request(headers=HOST + b"Cookie: " + b"a=b; " * (many // 5) + b"\r\n"),
        request(path=b"/livez?" + b"a&" * (many // 2))])


def headers(rng):
    """Lines that are no headers, and hosts that are none."""
    return request(path=rng.choice(PATHS), headers=rng.choice([
        b"", b"Host:\r\n", b"Host: evil.example\r\n", HOST + b"Host: evil.example\r\n", b"Host: a b\r\n",
        b"Host: localhost@evil.example\r\n", b"Host : localhost\r\n", HOST + b"nonsense\r\n", HOST + b": x\r\n",
        HOST + b"X : y\r\n", HOST + b"X\x00: y\r\n", HOST + b"X\x01: y\r\n", b" " + HOST, b"\t" + HOST,
        HOST + b"X(: y\r\n", HOST + b"X: \x01\r\n", b"Host: [::1\r\n", b"Host: localhost:99999\r\n", b"Host: localhost:x\r\n",
        HOST + HOST]))


def protocols(rng):
    """Other protocols."""
    return rng.choice([
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4" + bytes(5),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(300) + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"EHLO localhost\r\n\r\n", b"*1\r\n$4\r\nPING\r\n\r\n", b"stats\r\n\r\n",
        rng.randbytes(rng.randrange(1, 5000)) + b"\r\n\r\n", b"\x80\x2e\x01\x00\x02" + rng.randbytes(40) + b"\r\n\r\n",
        bytes(rng.randrange(1, 3000)) + b"\r\n\r\n", b"<policy-file-request/>\0\r\n\r\n", b"\x05\x01\x00\r\n\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + request()])


def pipelines(rng):
    """A malformed request with a good one behind it, which it must not be taken for."""
    kind = rng.choice((lengths, codings, nuls, lines, methods))
    return kind(rng) + request(path=b"/livez")


KINDS = (lengths, codings, nuls, foldings, bare_newlines, lines, forms, methods, sizes, headers, protocols, pipelines)


def corpus(count, seed=9180):
    """(name, bytes) of so many requests, of all kinds in turn."""
    rng = random.Random(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        yield f"{kind.__name__} {number}", kind(rng)
