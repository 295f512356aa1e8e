# SPDX-License-Identifier: MIT
"""Names of the address book are answered over UDP and TCP: A, AAAA and SRV with what is in force, nothing told
from no such name, letters as they came, and whatever is sent, an answer that is right or none."""

import pathlib
import random
import socket
import struct
import tempfile

from lib import check, equal, free_port, until
from sidecarlib import Sidecar
from sidecarlib.dns import AAAA, SRV, A, encode
from sidecarlib.question import (AA, ANY, AXFR, FORMERR, NOERROR, NOTIMP, NXDOMAIN, QR, RA, RD, REFUSED, SOA, Reply,
                                 ask, ask_bytes, ask_tcp, frame, question, read_frame)

CONFIG = """
[muster]
mode = testing
[sidecar]
dns = 127.0.0.1:{port}, [::1]:{port}
dns_upstream = no
[address:redis]
port = 6379
testing = 127.0.0.9
[address:Six]
port = 80
testing = [2001:db8::1]
[address:both]
port = 5432
testing = localhost
[address:db.main]
port = 5432
testing = 127.0.0.7, 127.0.0.8
check = no
[address:nowhere]
port = 80
production = 10.0.0.1
"""


def answers(port):
    for name in ("redis", "redis.muster", "ReDiS", "REDIS.Muster", "redis."):
        reply = ask(port, name)
        equal((reply.code, reply.answers(), reply.name), (NOERROR, ["127.0.0.9"], name.rstrip(".")), name)
        equal(reply.flags & (QR | AA | RD | RA), QR | AA | RD, "flags")
        check(0 < reply.records[0][3] <= 5, "a short TTL")
    equal(ask(port, "six", AAAA).answers(), ["2001:db8::1"], "v6")
    equal(ask(port, "db.main").answers(), ["127.0.0.7"], "the first candidate")
    equal(ask(port, "both").answers(), ["127.0.0.1"], "a name of the hosts file")
    equal(ask(port, "redis", ANY).answers(), ["127.0.0.9"], "ANY")
    equal(ask(port, "redis", of=255).answers(), ["127.0.0.9"], "class ANY")
    equal(Reply(ask_bytes(port, question("redis"), host="::1")).answers(), ["127.0.0.9"], "over IPv6")


def nothing(port):
    for name, kind in (("redis", AAAA), ("six", A), ("redis.muster", 15), ("main.muster", A), ("_tcp.redis.muster", SRV),
                       ("_redis._tcp.redis", A), ("muster", A)):
        reply = ask(port, name, kind)
        equal((reply.code, reply.answers(), reply.kinds(1)), (NOERROR, [], [SOA]), f"{name} has none of type {kind}")
    for name in ("nope.muster", "a.redis.muster", "nowhere", "_1._tcp.redis", "_redis._udp.redis.muster"):
        reply = ask(port, name, SRV if name[0] == "_" else A)
        equal((reply.code, reply.answers(), reply.kinds(1)), (NXDOMAIN, [], [SOA]), f"{name} does not exist")
    equal(ask(port, "muster", SOA).kinds(0), [SOA], "the zone's own record")


def services(port):
    for name in ("redis", "redis.muster"):
        for service in ("_6379", "_redis", "_REDIS"):
            reply = ask(port, f"{service}._tcp.{name}", SRV)
            equal(reply.answers(), [(0, 0, 6379, name)], f"{service} of {name}")
            equal([record[4] for record in reply.records if record[0] == 2], ["127.0.0.9"], "its address, too")
    equal(ask(port, "redis", SRV).answers(), [(0, 0, 6379, "redis")], "the name itself has the port")
    equal(ask(port, "_postgres._tcp.db.main", SRV).answers(), [(0, 0, 5432, "db.main")], "by the usual name")


def refusals(port):
    equal(ask(port, "example.com").code, REFUSED, "nobody is asked")
    equal(ask(port, "version.bind", 16, of=3).code, REFUSED, "another class")
    equal(ask(port, "redis", AXFR).code, REFUSED, "a transfer")
    equal(ask(port, "redis", flags=RD | 0x2000).code, NOTIMP, "another kind of request")
    plain, edns = ask(port, "redis"), ask(port, "redis", edns=4096)
    equal((plain.edns, edns.edns), (None, 1232), "EDNS is answered with EDNS, and only then")
    bad = question("redis", edns=512)
    equal(Reply(ask_bytes(port, bad[:-5] + b"\x05" + bad[-4:])).code, 16, "EDNS of a version not known")


def malformed(port):
    good = question("redis", edns=1232)
    header = struct.pack(">HHHHHH", 7, RD, 1, 0, 0, 0)
    for what, packet in (("two questions", struct.pack(">HHHHHH", 7, RD, 2, 0, 0, 0) + 2 * good[12:23]),
                         ("no question", struct.pack(">HHHHHH", 7, RD, 0, 0, 0, 0)),
                         ("a pointer", header + b"\xc0\x0c" + good[19:23]),
                         ("a long label", header + b"\x40" + b"a" * 64 + b"\0" + good[19:23]),
                         ("a long name", header + encode(".".join(["a" * 63] * 4)) + good[19:23]),
                         ("a cut name", header + b"\x05red"),
                         ("no type", header + encode("redis")),
                         ("bytes behind it", question("redis") + b"x"),
                         ("a cut record", good[:-1]),
                         ("two OPT records", good[:11] + b"\x02" + good[12:] + good[-11:]),
                         ("too many records", good[:10] + b"\xff\xff" + good[12:])):
        reply = Reply(ask_bytes(port, packet))
        equal((reply.code, reply.records), (FORMERR, []), what)
    for packet in (b"", b"x", header[:11], good[:2] + b"\x81" + good[3:]):
        equal(ask_bytes(port, packet, 0.2), None, f"no answer to {packet!r}")
    chance = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for _ in range(3000):
            packet = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                packet[chance.randrange(len(packet))] = chance.randrange(256)
            udp.sendto(packet[:chance.randrange(len(packet) + 1)], ("127.0.0.1", port))
    # of so many the kernel drops some, and may drop a question that comes right behind them
    answer = until(lambda: ask_bytes(port, question("redis"), 2), "an answer after all of it", 60)
    equal(Reply(answer).answers(), ["127.0.0.9"], "after all of it")


def streams(port):
    replies = ask_tcp(port, question("redis", ident=1), question("six", AAAA, ident=2), question("no.muster", ident=3))
    equal([(reply.ident, reply.code, reply.answers()) for reply in replies],
          [(1, 0, ["127.0.0.9"]), (2, 0, ["2001:db8::1"]), (3, NXDOMAIN, [])], "three in one go")
    with socket.create_connection(("127.0.0.1", port), 20) as tcp:
        for byte in frame(question("redis")):
            tcp.sendall(bytes([byte]))
        equal(Reply(read_frame(tcp)).answers(), ["127.0.0.9"], "byte by byte")
        tcp.sendall(b"\xff\xff" + b"x" * 3000)
        with socket.create_connection(("127.0.0.1", port), 20):
            try:
                equal(tcp.recv(1), b"", "a question too large ends the connection")
            except ConnectionResetError:
                pass
    idle = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(100)]
    equal(ask_tcp(port, question("redis"))[0].answers(), ["127.0.0.9"], "idle connections make room")
    for one in idle:
        one.close()


def main():
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "muster.ini")
        path.write_text(CONFIG.format(port=port))
        with Sidecar("-c", path, linked=False) as sidecar:
            for part in (answers, nothing, services, refusals, malformed, streams):
                part(port)
            metrics = sidecar.get("/metrics").text
            check('muster_dns_queries_total{result="answered"}' in metrics, "counted")
            equal(sidecar.process.poll(), None, "it runs")


main()
