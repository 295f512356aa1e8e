# SPDX-License-Identifier: MIT
"""Names that the book does not have are asked of the upstream name servers, each time from another port and with
another id; only the server's own answer to the question counts; a silent server is followed by the next; what does
not fit is cut and asked for again over TCP; and too many at once fail rather than pile up."""

import contextlib
import pathlib
import socket
import struct
import tempfile
import threading
import time

from lib import check, equal, free_port, until
from sidecarlib import Sidecar
from sidecarlib.dns import A
from sidecarlib.question import (NOERROR, NXDOMAIN, RA, REFUSED, SERVFAIL, TC, Reply, ask, ask_bytes, ask_tcp, frame,
                                 question, read_frame, skip_name)

CONFIG = """
[muster]
mode = testing
[sidecar]
dns = 127.0.0.1:{port}
dns_upstream = 127.0.0.1:{first}, 127.0.0.1:{second}
[address:redis]
port = 6379
testing = 127.0.0.9
[address:alias]
port = 80
testing = target.example
"""


def respond(query, address=None, code=0, count=1, ident=None, name=None):
    """An answer to the query with `count` A records."""
    head = query[:2] if ident is None else struct.pack(">H", ident)
    asked = query[12:skip_name(query, 12) + 4]
    if name:
        asked = name + asked[-4:]
    records = b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 60, 4) + socket.inet_aton(address) if address else b""
    count = count if address else 0
    return head + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0) + asked + records * count


class Upstream:
    """`answer(query, over_tcp)` gives the packets to send back. `seen`: (port, id) of each packet."""

    def __init__(self, answer):
        self.answer, self.seen = answer, []
        self.port = free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                query, client = self.udp.recvfrom(4096)
                self.seen.append((client[1], query[:2]))
                for packet in self.answer(query, False):
                    self.udp.sendto(packet, client)

    def serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.tcp.accept()
                with connection:
                    for packet in self.answer(read_frame(connection), True):
                        connection.sendall(frame(packet))


def first_answers(query, over_tcp):
    name = Reply(query).name.lower()
    if name in ("silent.example", "hole.example"):
        return []
    if name == "refused.example":
        return [respond(query, code=REFUSED)]
    if name == "missing.example":
        return [respond(query, code=NXDOMAIN)]
    if name == "spoofed.example":
        other = (struct.unpack(">H", query[:2])[0] + 1) & 0xffff
        return [respond(query, "6.6.6.6", ident=other), respond(query, "6.6.6.6", name=b"\x01x\x07example\0"),
                query, b"", query[:5], respond(query, "192.0.2.5")]
    if name == "lower.example":  # a server that does not keep capitals
        return [respond(query, "192.0.2.6", name=query[12:skip_name(query, 12)].lower())]
    if name == "large.example":
        return [respond(query, "192.0.2.7", count=100 if over_tcp else 40)]
    if name == "huge.example":  # over UDP more than anybody has room for
        return [respond(query, "192.0.2.9", count=400)]
    if name == "target.example":
        return [respond(query, "192.0.2.8" if query[-15:-11] == b"\0\1\0\1" or b"\0\1\0\1" in query[12:] else None)]
    return [respond(query, "192.0.2.1")]


def second_answers(query, over_tcp):
    """It is asked also when this process stood still, and the first one did not answer in time."""
    if Reply(query).name.lower() in ("silent.example", "refused.example"):
        return [respond(query, "192.0.2.2")]
    return first_answers(query, over_tcp)


def main():
    first = Upstream(first_answers)
    second = Upstream(second_answers)
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "muster.ini")
        path.write_text(CONFIG.format(port=port, first=first.port, second=second.port))
        with Sidecar("-c", path, linked=False) as sidecar:
            reply = ask(port, "Plain.Example", ident=0xbeef)
            equal((reply.ident, reply.name, reply.answers(), reply.flags & RA),
                  (0xbeef, "Plain.Example", ["192.0.2.1"], RA), "passed on")
            equal(ask(port, "missing.example").code, NXDOMAIN, "what the upstream says")
            equal(ask(port, "lower.example").answers(), ["192.0.2.6"], "capitals are no matter")
            equal(ask(port, "LOWER.example").name, "LOWER.example", "and come back as they were")
            equal(ask(port, "spoofed.example").answers(), ["192.0.2.5"], "only the answer counts")
            equal(ask(port, "silent.example").answers(), ["192.0.2.2"], "a silent server is followed by the next")
            equal(ask(port, "refused.example").answers(), ["192.0.2.2"], "one that refuses, too")
            equal(ask(port, "norecursion.example", flags=0).code, REFUSED, "who does not want others to be asked")
            equal(ask(port, "alias").answers(), ["192.0.2.8"], "a name of the book whose host the upstream knows")
            cut = ask(port, "large.example")
            equal((cut.flags & TC, cut.answers()), (TC, []), "cut without EDNS")
            equal(len(ask(port, "large.example", edns=4096).answers()), 40, "whole with EDNS")
            equal(len(ask_tcp(port, question("large.example"))[0].answers()), 100, "whole over TCP")
            cut = ask(port, "huge.example", edns=65535)
            equal((cut.flags & TC, cut.answers()), (TC, []), "more than there is room for is cut, too")
            equal(len(ask_tcp(port, question("huge.example"))[0].answers()), 400, "and whole over TCP")
            first.seen.clear()
            for index in range(40):
                ask(port, f"n{index}.example")
            check(len({at for at, _ in first.seen}) > 30, f"a port of its own for each: {first.seen}")
            check(len({ident for _, ident in first.seen}) > 30, f"an id of its own for each: {first.seen}")
            flood(port, sidecar)
    never_itself()


def never_itself():
    """One that listens on all addresses is behind each of them."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "muster.ini")
        path.write_text(CONFIG.format(port=port, first=port, second=port).replace(f"dns = 127.0.0.1:{port}\n", ""))
        with Sidecar("-c", path, "--dns", f"0.0.0.0:{port}", linked=False) as sidecar:
            equal(ask(port, "plain.example").code, REFUSED, "nobody is left to be asked")
            equal(ask(port, "redis").answers(), ["127.0.0.9"], "an address")
            check(f"127.0.0.1:{port} is this program itself" in sidecar.stderr, "why")


def flood(port, sidecar):
    """More questions than may wait: some fail at once, all others at their deadline, and it goes on."""
    begin = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(20)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        udp.connect(("127.0.0.1", port))
        for index in range(700):
            udp.send(question("hole.example", ident=index))
            if index % 50 == 49:  # what the socket's buffer holds
                equal(ask(port, "redis").answers(), ["127.0.0.9"], "addresses are answered meanwhile")
        for _ in range(700):
            equal(Reply(udp.recv(4096)).code, SERVFAIL, "nobody knew")
    check(time.monotonic() - begin < 60, "no question waits for ever")
    equal(ask(port, "after.example").code, NOERROR, "after the flood")
    until(lambda: 'muster_dns_queries_total{result="failed"} 7' in sidecar.get("/metrics").text, "counted")
    equal(ask_bytes(port, b"\0\1\x81\x80" + question("redis")[4:], 0.2), None, "answers are not answered")


main()
