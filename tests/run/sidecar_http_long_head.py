# SPDX-License-Identifier: MIT
"""A head of 6 KiB is read, in few headers and in many, and one of 5 KiB if all of it are cookies, of which libmicrohttpd
makes a copy; one of 16 KiB is refused, and the connection ends with that."""

from lib import check, equal
from sidecarlib import Page, Sidecar

KIB = 1024


def head(path, size, headers, name):
    """A request of that size, evenly filled."""
    start = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    each = (size - len(start) - 2) // headers - len(f"{name}: a=\r\n")
    return (start + f"{name}: a={'b' * each}\r\n" * headers + "\r\n").encode()


def main():
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}], phase="ready")
        for path in ("/livez", "/readyz", "/status", "/"):
            for size, headers, name in ((6, 1, "X"), (6, 20, "X"), (5, 1, "Cookie")):
                answer = sidecar.raw(head(path, size * KIB, headers, name))
                equal(answer[:13], b"HTTP/1.1 200 ", f"{path}, {size} KiB in {headers} times {name}")
                answer = sidecar.raw(head(path, 16 * KIB, headers, name))
                check(b" 200 " not in answer[:20], f"{path}, 16 KiB in {headers} times {name}: {answer[:80]!r}")
        sidecar.alive()


main()
