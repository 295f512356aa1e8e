# SPDX-License-Identifier: MIT
"""Ten thousand requests sent without waiting for an answer are answered, all and in order, and so is one after that."""

import socket
import threading

from lib import SECONDS, equal
from sidecarlib import Page, Sidecar

COUNT = 10000


def main():
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}])
        with socket.create_connection(("127.0.0.1", sidecar.port), timeout=3 * SECONDS) as client:
            pair = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /nope HTTP/1.1\r\nHost: a\r\n\r\n"
            sender = threading.Thread(target=client.sendall, args=(pair * (COUNT // 2),), daemon=True)
            sender.start()
            received = b""
            while received.count(b"HTTP/1.1 ") < COUNT or not received.endswith(b"\n"):
                part = client.recv(1 << 20)
                if not part:
                    break
                received += part
            sender.join()
        statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
        equal(statuses, [b"200", b"404"] * (COUNT // 2), "statuses")
        sidecar.alive()


main()
