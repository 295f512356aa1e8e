# SPDX-License-Identifier: MIT
"""What the services of the demo share: a very small Redis client and HTTP server."""

import http.server
import os
import signal
import socket
import sys

DIR = os.environ["DEMO_DIR"]
DATA = os.path.join(DIR, "data")


def stop_on_term():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def say(text):
    print(text, flush=True)


class Redis:
    """Sends one command at a time over Redis' unix socket."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(DIR, "redis.sock"))
        self.replies = self.socket.makefile("rb")

    def __call__(self, *words):
        encoded = [str(word).encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded)] + [b"$%d\r\n%s\r\n" % (len(w), w) for w in encoded]
        self.socket.sendall(b"".join(parts))
        return self.reply()

    def reply(self):
        line = self.replies.readline().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise OSError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest.decode()


class Server(http.server.ThreadingHTTPServer):
    """Answers GET by calling answer(path), which returns a status and a text."""

    daemon_threads = True

    def __init__(self, port, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, text = answer(self.path)
                body = (text + "\n").encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Handler)
