# SPDX-License-Identifier: MIT
"""A head of 6 KiB, as browsers with many cookies send them, is read, in few headers and in many; one of 16 KiB is
refused, and the connection ends with that. What comes next has the whole length again."""

from lib import check, equal
from sidecarlib import Page, Sidecar

KIB = 1024
COOKIE = b"Cookie: session=%s\r\n"


def head(path, size, headers):
    """A request of that size, evenly filled."""
    start = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n" % path.encode()
    each = (size - len(start) - 2) // headers - len(COOKIE % b"")
    return start + COOKIE % (b"a" * each) * headers + b"\r\n"


def main():
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}], phase="ready")
        for path in ("/livez", "/readyz", "/status", "/"):
            for headers in (1, 20):
                twice = head(path, 6 * KIB, headers) + head(path, 6 * KIB, headers).replace(b"keep-alive", b"close")
                equal(sidecar.raw(twice).count(b"HTTP/1.1 200 "), 2, f"{path}, 6 KiB in {headers} headers")
                answer = sidecar.raw(head(path, 16 * KIB, headers))
                check(b" 200 " not in answer[:20], f"{path}, 16 KiB in {headers} headers: {answer[:80]!r}")
        equal(sidecar.get("/livez").status, 200, "afterwards")


main()
