# SPDX-License-Identifier: MIT
"""Another host, as far as its /status goes."""

import json
import threading

from sidecarlib import Target, read_head


class Peer:
    """Answers GET /status with `services`, a dictionary of names and what is said of each, with an ETag."""

    def __init__(self, host="pc2", port=0, **services):
        self.host = host
        self.services = services
        self.asked = self.unchanged = 0
        self.lock = threading.Lock()
        self.target = Target(self.serve, port=port)

    def __enter__(self):
        self.target.__enter__()
        return self

    def __exit__(self, *error):
        self.target.__exit__(*error)

    @property
    def port(self):
        return self.target.port

    def serve(self, connection):
        while head := read_head(connection).decode():
            services = [{"name": name, "type": "service", "ready": False} | said for name, said in self.services.items()]
            body = json.dumps({"schema": 1, "host": self.host, "ready": True, "services": services}).encode()
            etag = f'"{hash(body) & 0xffffffff:x}"'
            same = f"if-none-match: {etag}" in head.lower()
            with self.lock:
                self.asked += 1
                self.unchanged += same
            if same:
                connection.sendall(f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode())
            else:
                connection.sendall(f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
