# SPDX-License-Identifier: MIT
"""A name server that is wrong in all the ways there are, with the verdict for a probe of each name; for
in_network_namespace() with RESOLV_CONF.

    faults = Faults()
    for name, reason in VERDICTS.items(): ...
"""

import socket
import struct
import threading

from sidecarlib.dns import A, AAAA, CNAME, Zone, encode

RESOLV_CONF = "nameserver 127.0.0.1\nsearch x.test y.test\noptions ndots:1 timeout:1 attempts:1\n"
TIMEOUT = 1500  # ms, of the probes that these verdicts are for
LATE = f"timed out after {TIMEOUT}ms (resolve)"

# name: why a tcp:// probe of it fails; empty: it succeeds; None: the words are c-ares's business
VERDICTS = {
    "plain.test": "",
    "alias.test": "",
    "searched": "",
    "many.test": "",           # 4,000 addresses, over TCP as they do not fit
    "alternating.test": "",    # TTL 0, in turns an address of others and the loopback's
    "mixed.test": "",          # one of its addresses is metadata's
    "two.test": "",            # nobody listens on the first of its addresses
    # of the two families one has an address, and the other ...
    "four-silent.test": "",
    "four-servfail.test": "",
    "four-nxdomain.test": "",
    "six-silent.test": "",
    "six-servfail.test": "",
    "six-nxdomain.test": "",
    "none-silent.test": LATE,  # there is no address of the other
    "nxdomain.test": "resolve: no such name",
    "nodata.test": "resolve: the name has no address",
    "metadata.test": "resolve: only addresses of a link or of metadata",
    "servfail.test": None,
    "refused.test": None,
    "loop.test": None,
    "longloop.test": None,
    "cut.test": None,          # ends in the middle of a record
    "garbage.test": None,
    "counts.test": None,       # announces more records than there are
    "pointer.test": None,      # a compressed name that points to itself
    "silent.test": LATE,
    "wrongid.test": LATE,
    "wrongquestion.test": None,
    "otherport.test": LATE,    # the right answer, but not from whom was asked
    "deadtcp.test": None,      # cut over UDP, silent over TCP
}
HERE = {A: "127.0.0.1", AAAA: "::ffff:127.0.0.1"}  # one listener has both


def wrong_question(answer):
    return answer[:12] + encode("other.test") + answer[12 + len(encode("wrongquestion.test")):]


def pointing(answer):
    """The owner of the record is a name that is itself."""
    at = answer.index(b"\xc0\x0c", 12)
    return answer[:at] + struct.pack(">H", 0xc000 | at) + answer[at + 2:]


CHANGES = {
    "cut.test": lambda answer: answer[:-3],
    "garbage.test": lambda answer: answer[:2] + b"\xff" * 40,
    "counts.test": lambda answer: answer[:6] + b"\xff\xff\xff\xff\xff\xff" + answer[12:],
    "pointer.test": pointing,
    "wrongid.test": lambda answer: bytes([answer[0] ^ 1]) + answer[1:],
    "wrongquestion.test": wrong_question,
}


class Faults(Zone):
    def __init__(self):
        super().__init__()
        here = ["127.0.0.1"]
        self.records = {(name, A): here for name in VERDICTS if name.endswith(".test")}
        self.records |= {("searched.x.test", A): here,
                         ("alias.test", CNAME): ["plain.test"],
                         ("many.test", A): here + [f"10.{i // 65536}.{i // 256 % 256}.{i % 256}" for i in range(3999)],
                         ("deadtcp.test", A): [f"127.0.0.{i}" for i in range(1, 90)],
                         ("mixed.test", A): ["169.254.169.254", "127.0.0.1"],
                         ("two.test", A): ["127.0.0.99", "127.0.0.1"],
                         ("metadata.test", A): ["169.254.169.254"],
                         ("loop.test", CNAME): ["loop.test"],
                         ("longloop.test", CNAME): ["other.test"], ("other.test", CNAME): ["longloop.test"]}
        for name in ("nxdomain.test", "nodata.test"):
            del self.records[name, A]
        self.records["nodata.test", 16] = []
        self.odd = {"servfail.test": "servfail", "refused.test": "refused", "silent.test": "silent"}
        for name in VERDICTS:
            family, _, trouble = name.removesuffix(".test").partition("-")
            if trouble:
                good, bad = (AAAA, A) if family == "six" else (A, AAAA)
                self.records = {key: value for key, value in self.records.items() if key[0] != name}
                self.records[name, 0 if family == "none" else good] = [HERE[good]]
                self.odd[name, bad] = trouble
        self.ttl = {"alternating.test": 0}
        self.turn = 0
        self.held = {}  # (name, type): an event that the answer waits for
        self.stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def name_of(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        return ".".join(labels).lower(), struct.unpack_from(">H", query, at + 1)[0]

    def answer(self, query):
        name, kind = self.name_of(query)
        if name == "alternating.test" and kind == A:
            self.turn += 1
            self.records[name, A] = ["127.0.0.1"] if self.turn % 2 else ["192.0.2.1"]
        answer = super().answer(query)
        if answer and kind == A and name in CHANGES:
            return CHANGES[name](answer)
        return answer

    def serve_udp(self, udp):
        receive, send = udp.recvfrom, udp.sendto

        class Between:
            """Sends the answer to one name from another port, and some later."""
            recvfrom = staticmethod(receive)

            @staticmethod
            def sendto(answer, client):
                how = self.stranger.sendto if b"otherport" in answer else send
                held = self.held and self.held.get(self.name_of(answer))
                if held:
                    threading.Thread(target=lambda: held.wait() and how(answer, client), daemon=True).start()
                else:
                    how(answer, client)

        super().serve_udp(Between)

    def answer_stream(self, query):
        return None if b"deadtcp" in query else self.answer(query)
