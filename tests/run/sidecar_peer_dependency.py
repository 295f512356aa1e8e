# SPDX-License-Identifier: MIT
"""A service of a peer that is waited for: each condition, the reason while it is not met, asked often while
somebody waits and rarely when not, and taken back when the peer says so."""

import re
import socket
import time

from lib import check, equal, until
from sidecarlib import Page, Sidecar
from sidecarlib.peer import Peer

READY = {"state": "ready", "ready": True, "pid": 9}


def conditions(peer, sidecar):
    """Each with the period of a minute: what is told at once was asked for out of turn."""
    def until_told(ok, reason, what):
        result = sidecar.wait_result(lambda result: result["probe"] == probe and result["ok"] == ok and result["reason"] == reason, what)
        check(result, what)

    for probe, (name, steps) in enumerate({
            "redis": [({}, "pc2 has no such service"), ({"redis": {"state": "waiting"}}, "it is waiting there"),
                      ({"redis": {"state": "starting", "pid": 7}}, "it is starting there"), ({"redis": READY}, "")],
            "redis:started": [({"redis": {"state": "starting"}}, "it is starting there"),
                              ({"redis": {"state": "starting", "pid": 7}}, "")],
            "redis:completed": [({"redis": READY}, "it is ready there"), ({"redis": {"state": "completed"}}, "")],
            "job": [({"job": {"type": "oneshot", "state": "starting", "pid": 7}}, "it is starting there"),
                    ({"job": {"type": "oneshot", "state": "failed"}}, "it is failed there"),
                    ({"job": {"type": "oneshot", "state": "completed", "ready": True}}, "")],
            "odd": [({"odd": {"state": "flying"}}, "it is in no state that is known here"), ({"odd": {"state": "running", "pid": 7}}, "")],
    }.items()):
        peer.services = steps[0][0]
        serial = sidecar.watch(probe, f"peer:pc2/{name}", service=probe)
        for services, reason in steps:
            peer.services = services
            until_told(not reason, reason, f"{name}: {services}")
            if reason:
                unchanged = peer.unchanged
                until(lambda unchanged=unchanged: peer.unchanged > unchanged, "what is known is not sent again")
        sidecar.drop(probe, serial)


def taken_back(peer, sidecar, page):
    peer.services = {"redis": READY}
    sidecar.watch(9, "peer:pc2/redis", service=0)
    sidecar.wait_result(lambda result: result["probe"] == 9 and result["ok"], "met")
    page.set("web", state="running")

    def calm():
        asked = peer.asked
        time.sleep(1.5)
        return peer.asked <= asked + 2

    until(calm, "nobody waits, and hardly anybody asks")


def heard_before(peer):
    """What a peer said before somebody began to wait does not count."""
    peer.services = {"redis": READY}
    with Sidecar("--peer", f"pc2/60s=http://127.0.0.1:{peer.port}/", "--host", "here") as sidecar:
        Page(sidecar.run_dir, [{"name": "pc2/redis", "state": "starting"}])
        until(lambda: sidecar.get("/status").json()["peers"][0]["state"] == "ok", "it is heard")
        equal(sidecar.get("/status").json()["peers"][0]["url"], f"http://127.0.0.1:{peer.port}/status", "a / at the end")
        peer.services = {"redis": READY | {"state": "unhealthy"}}
        sidecar.watch(1, "peer:pc2/redis", service=0)
        result = sidecar.wait_result(lambda result: result["ok"] or result["reason"] == "it is unhealthy there", "asked anew")
        equal((result["ok"], result["reason"]), (False, "it is unhealthy there"), "asked anew")


def silent():
    """Asked with growing pauses, but heard soon when it is there."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))  # so that nobody else gets it
        peer_port = held.getsockname()[1]
        be_silent(peer_port)


def be_silent(peer_port):
    with Sidecar("--peer", f"pc2/60s=http://127.0.0.1:{peer_port}", "--host", "here") as sidecar:
        Page(sidecar.run_dir, [{"name": "pc2/redis", "state": "starting"}, {"name": "web", "state": "waiting"}], [("web", "pc2/redis", "healthy", False)])
        sidecar.watch(1, "peer:pc2/redis", service=0)
        sidecar.wait_result(lambda result: re.fullmatch(r"pc2 has not answered for [1-9]\d* s: connection refused", result["reason"]), "the reason")
        with Peer(port=peer_port, redis=READY):
            sidecar.wait_result(lambda result: result["ok"], "met when it comes")


def main():
    with Peer() as peer:
        with Sidecar("--peer", f"pc2/60s=http://127.0.0.1:{peer.port}", "--host", "here") as sidecar:
            names = ["pc2/redis", "pc2/redis:started", "pc2/redis:completed", "pc2/job", "pc2/odd"]
            page = Page(sidecar.run_dir, [{"name": name, "state": "starting"} for name in names] + [{"name": "web", "state": "waiting"}],
                        [("web", name, "healthy", False) for name in names])
            conditions(peer, sidecar)
            taken_back(peer, sidecar, page)
            equal(sidecar.get("/status").json()["peers"][0]["state"], "ok", "state")
            heard_before(peer)
    silent()


main()
