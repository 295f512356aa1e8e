# SPDX-License-Identifier: MIT
"""A small name server for tests: DNS on 127.0.0.1:53, UDP and TCP, for in_network_namespace()."""

import contextlib
import socket
import struct
import threading

A, CNAME, AAAA, SRV = 1, 5, 28, 33


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def rdata(kind, value):
    """value: an address for A and AAAA, a name for CNAME, (priority, weight, port, target) for SRV."""
    if kind == A:
        return socket.inet_aton(value)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == CNAME:
        return encode(value)
    return struct.pack(">HHH", *value[:3]) + encode(value[3])


class Zone:
    """`records` maps (name, type) to values, `ttl` names to seconds (30), `odd` names or (name, type) to "silent",
    "servfail", "refused" or "nxdomain". A name without any record does not exist. All may be changed at any time."""

    def __init__(self):
        self.records, self.ttl, self.odd = {}, {}, {}
        self.asked = []
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 53))
        tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(("127.0.0.1", 53))
        tcp.listen(16)
        threading.Thread(target=self.serve_udp, args=(udp,), daemon=True).start()
        threading.Thread(target=self.serve_tcp, args=(tcp,), daemon=True).start()

    def serve_udp(self, udp):
        while True:
            query, client = udp.recvfrom(4096)
            answer = self.answer(query)
            if answer and len(answer) > 512:  # cut: to be asked again over TCP
                flags = struct.unpack_from(">H", answer, 2)[0] | 0x0200
                end = 12 + answer[12:].index(b"\0") + 5
                answer = answer[:2] + struct.pack(">HHHHH", flags, 1, 0, 0, 0) + answer[12:end]
            if answer:
                udp.sendto(answer, client)

    def serve_tcp(self, tcp):
        while True:
            connection, _ = tcp.accept()
            threading.Thread(target=self.serve_stream, args=(connection,), daemon=True).start()

    def serve_stream(self, connection):
        with contextlib.suppress(OSError), connection:
            while head := connection.recv(2, socket.MSG_WAITALL):
                query = connection.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                answer = self.answer_stream(query)
                if answer:
                    connection.sendall(struct.pack(">H", len(answer)) + answer)

    def answer_stream(self, query):
        """What comes over TCP, where one connection may carry the questions for several names."""
        return self.answer(query)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, kind = ".".join(labels).lower(), struct.unpack_from(">H", query, at + 1)[0]
        self.asked.append((name, kind))
        odd = self.odd.get((name, kind), self.odd.get(name))
        if odd == "silent":
            return None
        exists = any(known == name for known, _ in self.records)
        code = {"servfail": 2, "nxdomain": 3, "refused": 5}.get(odd, 0 if exists else 3)
        records = [] if code else self.follow(name, kind)
        return (query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0) + query[12:at + 5] +
                b"".join(records))

    def follow(self, name, kind):
        """All records of the name, those behind a CNAME too; a loop is followed for a while."""
        records, owner = [], b"\xc0\x0c"  # as in the question
        for _ in range(8):
            alias = self.records.get((name, CNAME))
            of = CNAME if alias else kind
            for value in alias or self.records.get((name, kind), []):
                data = rdata(of, value)
                records.append(owner + struct.pack(">HHIH", of, 1, self.ttl.get(name, 30), len(data)) + data)
            if not alias:
                break
            name = alias[0]
            owner = encode(name)
        return records
