# SPDX-License-Identifier: MIT
"""The reference stack without an init, as start scripts had it and as it could be at best: scripted.py RULE FILE

FILE: the services as JSON; RULE, of each host by itself, beside that whatever a service depends on, on any host, is
ready:
    seq       one after another
    level:N   layer by layer, at most N at the same time
    event     nothing else
Prints how many milliseconds it took until all were ready. It hears of that at once, by sd_notify from those that can,
by connecting every few milliseconds to the others; no script of these days did.
"""
import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

LOOK_SECONDS = 0.003
LIMIT = 300
CREDENTIALS = struct.Struct("iii")


class Script:
    def __init__(self, rule, services, folder):
        self.rule, _, limit = rule.partition(":")
        self.limit = int(limit) if limit else len(services)
        self.services = services
        self.ready, self.begun = set(), {}  # keys; key -> process
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(str(folder / "notify"))
        self.env = os.environ | {"NOTIFY_SOCKET": str(folder / "notify"), "PYTHONDONTWRITEBYTECODE": "1"}

    # ---- who may start ----

    def starting(self, host):
        return sum(1 for each in self.services
                   if each["host"] == host and each["key"] in self.begun and each["key"] not in self.ready)

    def layer(self, host):
        """The first of the host that is not ready as a whole."""
        return min((each["layer"] for each in self.services
                    if each["host"] == host and each["key"] not in self.ready), default=None)

    def may_start(self, service):
        if not self.ready.issuperset(service["needs"]):
            return False
        if self.rule == "seq":
            earlier = self.services[:self.services.index(service)]
            return all(each["key"] in self.ready for each in earlier if each["host"] == service["host"])
        return self.rule == "event" or (service["layer"] == self.layer(service["host"]) and
                                        self.starting(service["host"]) < self.limit)

    def start_all_that_may(self):
        for service in self.services:
            if service["key"] not in self.begun and self.may_start(service):
                self.begun[service["key"]] = subprocess.Popen(service["command"], env=self.env | service["env"],
                                                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    # ---- who is ready ----

    def hear(self):
        """Of one that says so."""
        message, parts, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
        pid = CREDENTIALS.unpack(parts[0][2])[0]
        if b"READY=1" in message.split(b"\n"):
            self.ready |= {key for key, process in self.begun.items() if process.pid == pid}

    def look(self):
        """At those that say nothing."""
        for service in self.services:
            if service["silent"] and service["key"] in self.begun and service["key"] not in self.ready:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", service["port"]), 1):
                    self.ready.add(service["key"])

    def run(self):
        deadline = time.monotonic() + LIMIT
        while len(self.ready) < len(self.services):
            self.start_all_that_may()
            if select.select([self.socket], [], [], LOOK_SECONDS)[0]:
                self.hear()
            self.look()
            if time.monotonic() > deadline:
                sys.exit(f"not within {LIMIT} s: {[s['key'] for s in self.services if s['key'] not in self.ready]}")

    def end(self):
        for process in self.begun.values():
            process.send_signal(signal.SIGTERM)
        for process in self.begun.values():
            process.wait()


def main():
    rule, path = sys.argv[1:]
    services = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        script = Script(rule, services, pathlib.Path(folder))
        begin = time.monotonic()
        try:
            script.run()
            print(f"{(time.monotonic() - begin) * 1000:.1f}")
        finally:
            script.end()


main()
