# SPDX-License-Identifier: MIT
"""GET and HEAD are answered, on connections that stay open; other methods get 405 with Allow, bodies
413, unknown paths 404; every answer forbids sniffing and storing."""

from lib import check, equal
from sidecarlib import Page, Sidecar

PATHS = ("/livez", "/readyz", "/startupz", "/health", "/status", "/metrics", "/timeline", "/timeline.svg", "/",
         "/readyz/db", "/livez?verbose", "/readyz?exclude=db", "/status?x=y")


def main():
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}], phase="starting").set_phase("ready")
        connection = sidecar.connection()
        for path in PATHS:
            for method in ("GET", "HEAD"):
                connection.request(method, path)
                answer = connection.getresponse()
                body = answer.read()
                equal((path, answer.status), (path, 200), method)
                check(not answer.will_close, f"{path}: the connection stays open")
                equal(answer.headers["X-Content-Type-Options"], "nosniff", path)
                equal(answer.headers["Cache-Control"], "max-age=1" if path == "/health" else "no-store", path)
                check(answer.headers["Content-Type"], path)
                equal(bool(body), method == "GET", f"{method} {path}: a body")
        connection.close()
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"):
            answer = sidecar.request("/livez", method)
            equal((method, answer.status, answer.headers["Allow"]), (method, 405, "GET, HEAD"), "refusal")
        equal(sidecar.request("/livez", "GET", body=b"x" * 10).status, 413, "a body")
        equal(sidecar.raw(b"GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").split()[1],
              b"413", "a chunked body")
        for path in ("/events", "/nope", "/status", "/"):
            for method in ("POST", "OPTIONS"):
                answer = sidecar.request(path, method)
                equal((path, answer.status, answer.headers["Allow"]), (path, 405, "GET, HEAD"), f"{method} {path}")
        for path in ("/nope", "/livez/", "//livez", "/LIVEZ", "/livez%00", "/livez%2f", "/../livez", "/./livez",
                     "/status/../livez", "/readyz/%00", "/readyz/..%2f", "/etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                     "/livez;x", "/favicon.ico"):
            equal((path, sidecar.get(path).status), (path, 404), "unknown")
        equal(sidecar.get("/%6civez").status, 200, "decoded once")
        equal(sidecar.get("/%256civez").status, 404, "decoded once only")


main()
