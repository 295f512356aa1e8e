# SPDX-License-Identifier: MIT
"""Asking a name server: questions and answers of the DNS as bytes."""

import socket
import struct

from .dns import AAAA, A, SRV, encode

SOA, OPT, ANY, AXFR = 6, 41, 255, 252
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
QR, AA, TC, RD, RA = 0x8000, 0x400, 0x200, 0x100, 0x80


def question(name, kind=A, ident=0x1234, flags=RD, edns=None, of=1):
    packet = struct.pack(">HHHHHH", ident, flags, 1, 0, 0, edns is not None) + encode(name)
    packet += struct.pack(">HH", kind, of)
    if edns is not None:
        packet += b"\0" + struct.pack(">HHIH", OPT, edns, 0, 0)
    return packet


def skip_name(packet, at):
    while packet[at]:
        if packet[at] >= 0xc0:
            return at + 2
        at += 1 + packet[at]
    return at + 1


def read_name(packet, at):
    labels = []
    while packet[at]:
        if packet[at] >= 0xc0:
            at = struct.unpack_from(">H", packet, at)[0] & 0x3fff
            continue
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels)


class Reply:
    """`records`: a list of (section, name, type, ttl, value) with section 0 answer, 1 authority, 2 additional."""

    def __init__(self, packet):
        self.packet = packet
        self.ident, self.flags, self.questions, *counts = struct.unpack_from(">HHHHHH", packet)
        self.code = self.flags & 15
        self.records, self.edns = [], None
        at = 12
        for _ in range(self.questions):
            self.name = read_name(packet, at)
            at = skip_name(packet, at) + 4
        for section, count in enumerate(counts):
            for _ in range(count):
                owner, at = read_name(packet, at), skip_name(packet, at)
                kind, of, ttl, size = struct.unpack_from(">HHIH", packet, at)
                at += 10
                if kind == OPT:
                    self.edns = of
                    self.code |= ttl >> 24 << 4
                else:
                    self.records.append((section, owner, kind, ttl, self.value(kind, at, size)))
                at += size
        assert at == len(packet), "bytes behind the last record"

    def value(self, kind, at, size):
        data = self.packet[at:at + size]
        if kind == A:
            return socket.inet_ntoa(data)
        if kind == AAAA:
            return socket.inet_ntop(socket.AF_INET6, data)
        if kind == SRV:
            return *struct.unpack_from(">HHH", data), read_name(self.packet, at + 6)
        return data

    def answers(self):
        return [value for section, _, _, _, value in self.records if section == 0]

    def kinds(self, section):
        return [kind for at, _, kind, _, _ in self.records if at == section]


def ask_bytes(port, packet, seconds=20, host="127.0.0.1"):
    """The answer to a packet, or None when there is none in this time."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(seconds)
        udp.connect((host, port))
        udp.send(packet)
        try:
            return udp.recv(65535)
        except socket.timeout:
            return None


def ask(port, name, kind=A, **more):
    answer = ask_bytes(port, question(name, kind, **more))
    return Reply(answer) if answer else None


def frame(packet):
    return struct.pack(">H", len(packet)) + packet


def read_frame(connection):
    head = connection.recv(2, socket.MSG_WAITALL)
    return connection.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL) if len(head) == 2 else None


def ask_tcp(port, *packets):
    with socket.create_connection(("127.0.0.1", port), 20) as tcp:
        tcp.sendall(b"".join(map(frame, packets)))
        return [Reply(read_frame(tcp)) for _ in packets]
