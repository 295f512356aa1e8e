# SPDX-License-Identifier: MIT
"""Enough of HTTP/2 to serve gRPC well and badly: frames by hand, headers written out without Huffman
coding, and of a request nothing but its stream and the bytes of its body."""

import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM = ACK = 1
END_HEADERS = 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GRPC = {":status": "200", "content-type": "application/grpc"}
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def block(fields):
    """Header fields as literals that nobody is to remember; all are shorter than 127 bytes."""
    return b"".join(b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
                    for name, value in fields.items())


def headers(stream, fields, end=False):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block(fields))


def data(stream, payload, end=False):
    return frame(DATA, END_STREAM if end else 0, stream, payload)


def message(payload, compressed=0):
    return struct.pack(">BI", compressed, len(payload)) + payload


def health(state):
    return message(bytes([8, state]) if state else b"")


def answer(stream, body, code="0", fields=None):
    """A whole answer in gRPC."""
    return (headers(stream, fields or GRPC) + data(stream, body) +
            headers(stream, {"grpc-status": code}, end=True))


def receive(connection, count):
    got = b""
    while len(got) < count:
        part = connection.recv(count - len(got))
        if not part:
            raise ConnectionResetError
        got += part
    return got


def requests(connection, patient=True):
    """(stream, body) of each request that comes, or of its header; the frames in between are answered as they must be."""
    if receive(connection, len(PREFACE)) != PREFACE:
        return
    connection.sendall(frame(SETTINGS))
    bodies = {}
    while True:
        head = receive(connection, 9)
        size, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")
        payload = receive(connection, size)
        if kind == SETTINGS and not flags & ACK:
            connection.sendall(frame(SETTINGS, ACK))
        if kind == PING and not flags & ACK:
            connection.sendall(frame(PING, ACK, 0, payload))
        if kind in (HEADERS, DATA):
            bodies[stream] = bodies.get(stream, b"") + (payload if kind == DATA else b"")
            if flags & END_STREAM if patient else kind == HEADERS:
                yield stream, bodies.pop(stream)


def serving(reply, patient=True):
    """A server that sends the bytes reply(stream, name of the service) to each request; patient: once it has it whole."""
    def serve(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for stream, body in requests(connection, patient):
            connection.sendall(reply(stream, body[7:].decode()))

    return serve
