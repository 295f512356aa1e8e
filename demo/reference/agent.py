# SPDX-License-Identifier: MIT
"""agent.py PORT DELAY: what agent.c is, as agents in Python are: with much to import first, and Redis.

Ready DELAY milliseconds after its start, or when all is imported and Redis has answered, if that takes
longer. REDIS_AT is host:port of Redis; without it nobody is asked.
"""

import time

BEGIN = time.monotonic()

import asyncio
import importlib
import os
import signal
import socket
import sys

HEAVY = ("concurrent.futures", "ctypes.util", "decimal", "email.mime.multipart", "http.server", "json",
         "logging.handlers", "multiprocessing.pool", "pydoc", "sqlite3", "ssl", "tarfile", "typing",
         "unittest.mock", "urllib.request", "uuid", "xml.etree.ElementTree", "xmlrpc.client", "zipfile")


async def ask_redis(place):
    host, _, port = place.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.write(b"PING\r\n")
    reply = await reader.readline()
    writer.close()
    if reply != b"+PONG\r\n":
        sys.exit(f"Redis at {place} said {reply!r}")


def tell_ready():
    """As sd_notify(3) does it."""
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", path.replace("@", "\0", 1) if path[0] == "@" else path)


async def load(delay):
    for name in HEAVY:
        importlib.import_module(name)
        await asyncio.sleep(0)
    if place := os.environ.get("REDIS_AT"):
        await ask_redis(place)
    await asyncio.sleep(max(BEGIN + delay / 1000 - time.monotonic(), 0))


async def serve(port, delay):
    ready = asyncio.Event()

    async def answer(reader, writer):
        status, text = ("200 OK", "ready\n") if ready.is_set() else ("503 Service Unavailable", "loading\n")
        try:
            await reader.readline()
            writer.write(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
                         f"Connection: close\r\n\r\n{text}".encode())
            await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    await asyncio.start_server(answer, "127.0.0.1", port)
    await load(delay)
    ready.set()
    tell_ready()
    await asyncio.Event().wait()


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
