# SPDX-License-Identifier: MIT
"""Packets that are no requests are answered with an error or not at all; muster-init goes on."""
import random
import struct

from lib import (DONE, EVENTS, FAILED, LOGS, NOT_FOUND, PING, RELOAD, SIGNAL, START, STOP, UNKNOWN, Init, check, equal,
                 tool)

M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} forever\n"


def name(text, size=64):
    return text.ljust(size, b"\0")[:size]


with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    web = init.services()["web"]

    def raw(packet):
        """The answer to a packet, or None when init hangs up."""
        with init.control() as control:
            control.socket.send(packet)
            return control.receive()[0]

    # heads: too short, another version, a size that is not that of the packet, a type that there is none
    for packet in (b"\0", b"1234567", struct.pack("=HHI", 2, PING, 0), struct.pack("=HHI", 0, PING, 0),
                   struct.pack("=HHI", 1, PING, 1), struct.pack("=HHI", 1, PING, 0) + b"x",
                   struct.pack("=HHI", 1, PING, 0xffffffff), struct.pack("=HHI", 1, 12345, 0),
                   struct.pack("=HHI", 1, 0, 0), struct.pack("=HHI", 1, DONE, 0), b"\xff" * 9000,
                   struct.pack("=HHI", 1, PING, 4001) + bytes(4001)):
        equal(raw(packet), UNKNOWN, f"answer to {packet[:12]!r}")
    # bodies
    with init.control() as control:
        for kind in (START, STOP, SIGNAL):
            for body in (b"", b"x", bytes(67), bytes(69), struct.pack("=i", 0) + b"x" * 64, bytes(68)):
                equal(control.ask(kind, body)[0], FAILED, f"answer to type {kind} with {body[:8]!r}")
            equal(control.ask_service(kind, "nobody")[0], NOT_FOUND, "answer for an unknown service")
            equal(control.ask_service(kind, "../../etc")[0], NOT_FOUND, "answer for a strange name")
        for number in (0, -1, 65, 1 << 30):
            equal(control.ask_service(SIGNAL, "web", number)[0], FAILED, f"answer to signal {number}")
        for body in (b"", struct.pack("=III", 0, 0, 1), struct.pack("=III", 0, 0, 63),
                     struct.pack("=III", 0, 0, 0xffffffff), struct.pack("=III", 0, 0, 1) + b"x" * 64,
                     struct.pack("=III", 5, 0, 0) + b"more"):
            equal(control.ask(LOGS, body)[0], FAILED, f"answer to logs with {body[:16]!r}")
        equal(control.ask(LOGS, struct.pack("=III", 5, 0, 1) + name(b"nobody"))[0], NOT_FOUND, "answer")
        equal(control.ask(PING)[0], DONE, "answer to a good request on the same connection")
    # noise, by somebody who does not listen
    dice = random.Random(5)
    for _ in range(200):
        with init.control() as control:
            for _ in range(3):
                kind = dice.choice([PING, EVENTS, LOGS, START, STOP, SIGNAL, dice.randrange(65536)])
                if kind in (RELOAD, 7):
                    continue
                size = dice.choice([0, 1, 4, 12, 67, 68, 76, 4000])
                control.socket.send(struct.pack("=HHI", 1, kind, size) + dice.randbytes(size))
    with init.control() as control:
        equal(control.ask(PING), (DONE, b"ready"), "answer afterwards")
    now = init.services()["web"]
    equal((now["pid"], now["state"], now["wanted"]), (web["pid"], "running", True), "the service")
    check(init.running(), "muster-init runs")
