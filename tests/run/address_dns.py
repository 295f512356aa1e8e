# SPDX-License-Identifier: MIT
"""Addresses by name: search lists, absolute names, SRV with its priorities, names that lead elsewhere
while it runs, and every way in which a name server can fail; the last good answer is kept."""

import contextlib
import time

from lib import check, equal, until
from sidecarlib import Sidecar, Target, in_network_namespace
from sidecarlib.dns import A, AAAA, CNAME, SRV, Zone

NAMES = {"plain": "plain.test", "short": "short", "absolute": "absolute.test.", "nx": "nx.test", "fails": "fails.test",
         "refused": "refused.test", "silent": "silent.test", "loop": "loop.test", "many": "many.test", "alias": "alias.test",
         "empty": "empty.test", "ranks": "ranks.test"}


def main():
    directory = in_network_namespace()
    (directory / "resolv.conf").write_text(
        "nameserver 127.0.0.1\nsearch x.test\noptions ndots:5 timeout:1 attempts:1\n")
    zone = Zone()
    zone.records = {("plain.test", A): ["127.0.0.1"], ("short.x.test", A): ["127.0.0.1"], ("absolute.test", A): ["127.0.0.1"],
                    ("loop.test", CNAME): ["loop.test"], ("alias.test", CNAME): ["plain.test"], ("empty.test", 16): [],
                    ("many.test", A): [f"127.0.{i // 250}.{i % 250 + 1}" for i in range(4000)],
                    ("ranks.test.x.test", A): ["127.0.0.1"], ("ranks.test", AAAA): ["::1"],
                    ("one.test", A): ["127.0.0.11"], ("two.test", A): ["127.0.0.12"]}
    zone.odd = {"fails.test": "servfail", "refused.test": "refused", "silent.test": "silent"}
    zone.ttl = {"plain.test": 0, "ranks.test": 0, "ranks.test.x.test": 0, "_redis._tcp.srv.test": 0}
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(Target(host="0.0.0.0")).port
        two = stack.enter_context(Target(host="127.0.0.12", port=0)).port
        first = two  # nobody listens there on one.test yet
        zone.records[("_redis._tcp.srv.test", SRV)] = [(20, 1, two, "two.test"), (10, 1, first, "one.test")]
        path = directory / "muster.ini"
        path.write_text("[muster]\nmode = testing\n[address:srv]\nport = 1\ncheck_period = 200ms\n"
                        "testing = _redis._tcp.srv.test\n" +
                        "".join(f"[address:{name}]\nport = {port}\ntesting = {host}\ncheck = connect\n"
                                "check_period = 200ms\n" for name, host in NAMES.items()))
        sidecar = stack.enter_context(Sidecar("-c", path, linked=False))

        def resolve(name):
            return sidecar.get(f"/resolve/{name}").json()

        def place(name):
            return resolve(name)["places"][0]

        for name in ("plain", "short", "absolute", "many", "alias", "ranks"):
            until(lambda name=name: resolve(name)["state"] == "up", lambda name=name: f"{name}: {resolve(name)}", 60)
        for name, error in (("nx", "resolve: no such name"), ("fails", "name server"), ("refused", "name server"), ("silent", "timed out after 2s (resolve)"),
                            ("loop", "resolve: "), ("empty", "resolve: the name has no address")):
            until(lambda name=name, error=error: place(name)["state"] == "down" and error in place(name)["error"],
                  lambda name=name, error=error: f"{name}, {error}: {resolve(name)}", 60)
        equal(place("plain")["resolved"], ["127.0.0.1"], "number of a name")
        equal(len(place("many")["resolved"]), 8, "so many of 4,000 are kept")
        equal(place("ranks")["resolved"], ["127.0.0.1"], "a name with fewer dots than ndots: the search list goes before the name itself")
        check(("absolute.test", A) in zone.asked, "an absolute name is asked for")
        check(("absolute.test.x.test", A) not in zone.asked, "an absolute name has no search list")
        check(("short.x.test", A) in zone.asked, "the search list is used")

        # the better target does not answer: the other one is in force, with its own port
        until(lambda: resolve("srv")["state"] == "up", lambda: resolve("srv"), 60)
        until(lambda: resolve("srv")["host"] == "two.test", lambda: resolve("srv"), 60)
        answer = resolve("srv")
        equal((answer["host"], answer["port"]), ("two.test", two), "by the SRV record")
        equal([(p["host"], p["state"]) for p in answer["places"]], [("one.test", "down"), ("two.test", "up")], "places")
        with Target(host="127.0.0.11", port=first):
            until(lambda: resolve("srv")["host"] == "one.test", lambda: resolve("srv"), 60)
        zone.records[("_redis._tcp.srv.test", SRV)] = [(1, 1, port, "plain.test")]
        until(lambda: (resolve("srv")["host"], resolve("srv")["port"]) == ("plain.test", port), lambda: resolve("srv"), 60)
        equal(len(resolve("srv")["places"]), 1, "targets that are gone")
        zone.odd["_redis._tcp.srv.test"] = "servfail"

        # with a TTL of 0 it is asked for every few seconds and not at every check
        asked = zone.asked.count(("plain.test", A))
        check(asked < 20 + (time.monotonic() - began) / 2, f"asked {asked} times")
        zone.records[("plain.test", A)] = ["127.0.0.2"]
        until(lambda: place("plain")["resolved"] == ["127.0.0.2"], lambda: resolve("plain"), 60)

        # nobody answers any more: what was known stays
        zone.odd["plain.test"] = "silent"
        asked = zone.asked.count(("plain.test", A))
        until(lambda: zone.asked.count(("plain.test", A)) > asked, "it is asked for again", 60)
        equal((place("plain")["state"], place("plain")["resolved"]), ("up", ["127.0.0.2"]), "the last good answer")
        equal(resolve("srv")["state"], "up", "the last good targets")
        sidecar.alive()


main()
