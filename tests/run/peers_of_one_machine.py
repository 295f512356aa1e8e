# SPDX-License-Identifier: MIT
"""Hosts that wait for each other in a circle are told so, both of them; one file serves both; a peer is
followed to where its address is; a sidecar without an init asks peers, too, confined as it is."""

from lib import Init, check, contains, free_port, until
from sidecarlib import Sidecar
from sidecarlib.peer import Peer

CIRCLE = """
[muster]
name = ${HOST_NAME}
[sidecar]
listen = 127.0.0.1:${PORT}
[peer:one]
url = http://127.0.0.1:${PORT_ONE}/
period = 300ms
[peer:two]
url = http://127.0.0.1:${PORT_TWO}/
period = 300ms
[service:a]
profiles = one
command = sleep 1000
depends_on = first
[service:first]
profiles = one
command = sleep 1000
depends_on = two/b
[service:b]
profiles = two
command = sleep 1000
depends_on = one/a, two/own
[service:own]
profiles = two
command = sleep 1000
"""
FOLLOW = """
[sidecar]
listen = 127.0.0.1:${PORT}
[address:pc2]
fallback = 127.0.0.1:${FIRST}, 127.0.0.1:${SECOND}
check_period = 200ms
[peer:pc2]
url = http://${address:pc2}/base/
period = 200ms
[service:x]
command = sleep 1000
"""
ALONE = """
[muster]
name = here
[sidecar]
listen = 127.0.0.1:0
[peer:pc2]
url = http://127.0.0.1:%d
period = 200ms
[peer:pc3]
url = http://${address:pc3:host}:%d
period = 200ms
[address:pc3]
fallback = 127.0.0.1:1
[service:x]
type = external
readiness_probe = tcp://127.0.0.1:%d
depends_on = pc2/redis
"""


def circle():
    one, two = free_port(), free_port()

    def host(name, port):
        return Init(config=CIRCLE, env={"HOST_NAME": name, "PORT": str(port), "PORT_ONE": str(one), "PORT_TWO": str(two),
                                        "MUSTER_PROFILES": name}, pid1=False)

    with host("one", one) as first, host("two", two) as second:
        for init, name, text in ((first, "two/b", "cycle a -> two/b -> one/a"), (second, "one/a", "cycle b -> one/a -> two/b")):
            until(lambda init=init, name=name, text=text: text in (init.services().get(name, {}).get("reason") or ""),
                  lambda init=init: f"the circle is named: {init.ctl('status').stdout}", 60)
        second.wait_state("own", "running")  # of its own name: a service of this host
        check("two/own" not in second.services(), "and nothing that stands for it")
        contains(first.ctl("status").stdout, "waits for two/b", "what people see")


def follow():
    first, second, port = free_port(), free_port(), free_port()
    with Peer(host="pc2", port=second, redis={"state": "ready", "ready": True}) as after:
        with Peer(host="pc2", port=first):
            init = Init(config=FOLLOW, env={"PORT": str(port), "FIRST": str(first), "SECOND": str(second)}, pid1=False)
            init.__enter__()
            with_init(init, port, f"http://127.0.0.1:{first}/base/status", [])
        with_init(init, port, f"http://127.0.0.1:{second}/base/status", ["redis"])
        check(after.asked, "the other place is asked")
        init.__exit__(None, None, None)


def with_init(init, port, url, services):
    client = Sidecar(linked=False)
    client.port = port

    def look():
        try:
            (peer,) = client.get("/status").json()["peers"]
        except (OSError, ValueError):
            return False
        return peer["state"] == "ok" and peer["url"] == url and [service["name"] for service in peer["services"]] == services

    until(look, lambda: f"the peer is found at {url}: {init.stderr}", 60)


def alone():
    with Peer(redis={"state": "ready", "ready": True}) as peer, Sidecar(linked=False, listen=None) as holder:
        path = holder.dir / "alone.ini"
        path.write_text(ALONE % (peer.port, peer.port, peer.port))
        with Sidecar("-c", path, linked=False) as sidecar:
            def peers():
                return {entry["name"]: entry for entry in sidecar.get("/status").json()["peers"]}

            until(lambda: all(entry["state"] == "ok" for entry in peers().values()), lambda: f"heard: {peers()}", 60)
            until(lambda: {"pc2/redis": "ready"}.items() <=
                  {service["name"]: service["state"] for service in sidecar.get("/status").json()["services"]}.items(), "met")
            until(lambda: peers()["pc3"]["error"] == "it calls itself pc2", lambda: f"another name: {peers()}")


def main():
    circle()
    follow()
    alone()


main()
