# SPDX-License-Identifier: MIT
"""Two hosts that know each other as peers: services start in order across both, in whatever order the hosts
come up; one is cut off and comes back; one is started anew."""

import contextlib
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request

from lib import Init, check, contains, equal, matches, need, until
from sidecarlib import in_network_namespace
from sidecarlib.hosts import run, two_hosts

CONFIG = """
[muster]
name = ${HOST_NAME}
[sidecar]
listen = 0.0.0.0:9180
[address:mainpc]
port = 9180
development = 10.77.0.1
[address:pc2]
port = 9180
development = 10.77.0.2
[peer:mainpc]
url = http://${address:mainpc}/
period = 400ms
[peer:pc2]
url = http://${address:pc2}/
period = 400ms
[service:base]
profiles = mainpc
command = sh -c 'sleep 0.3; echo base >>$ORDER; touch up; exec sleep 1000'
readiness_probe = file:{dir}/up
working_dir = {dir}
[service:api]
profiles = mainpc
command = sh -c 'echo api >>$ORDER; exec sleep 1000'
depends_on = pc2/model, pc2/migrate:completed
    base
working_dir = {dir}
[service:migrate]
profiles = pc2
type = oneshot
command = sh -c 'sleep 0.3; echo migrate >>$ORDER'
working_dir = {dir}
[service:model]
profiles = pc2
command = sh -c 'sleep 0.3; echo model >>$ORDER; touch up; exec sleep 1000'
readiness_probe = file:{dir}/up
depends_on = mainpc/base, migrate
working_dir = {dir}
"""


class Events(threading.Thread):
    """What /events of this host tells."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stream = urllib.request.urlopen("http://127.0.0.1:9180/events", timeout=120)
        self.peers = []
        self.start()

    def run(self):
        event = None
        with contextlib.suppress(OSError, ValueError, AttributeError):
            for line in self.stream:
                word, _, rest = line.decode().rstrip("\n").partition(": ")
                event = rest if word == "event" else event
                if word == "data" and event == "peer":
                    self.peers.append(json.loads(rest))


def get(path):
    with urllib.request.urlopen(f"http://127.0.0.1:9180{path}", timeout=60) as answer:
        return answer.read().decode()


def peer():
    (found,) = json.loads(get("/status"))["peers"]
    return found


def start(stack, prefix, host, directory):
    init = Init(config=CONFIG, env={"HOST_NAME": host, "MUSTER_MODE": "development", "MUSTER_PROFILES": host,
                                    "ORDER": str(directory / "order")}, pid1=False,
                prefix=prefix)
    return stack.enter_context(init)


def reason(init, name):
    return init.services().get(name, {}).get("reason") or ""


def waits(mainpc):
    """Before the other host is there."""
    until(lambda: re.search(r"pc2 has not answered for \d+ s: connection refused", reason(mainpc, "pc2/model")),
          lambda: f"it is said why: {reason(mainpc, 'pc2/model')!r}", 60)
    until(lambda: re.search(r"has not answered for ([2-9]|\d\d+) s", reason(mainpc, "pc2/model")), "the time grows", 60)
    equal((peer()["state"], peer()["age_seconds"]), ("unknown", None), "never heard")
    text = mainpc.ctl("status").stdout
    matches(text, r"api +waiting .*waits for pc2/model \(pc2/model: not ready yet: pc2 has not answered", "what people see")


def heard():
    """The peer, when it is ready: one that stands still for three periods is silent for a moment."""
    return until(lambda: (found := peer())["state"] == "ok" and found["ready"] and not found["error"] and found,
                 lambda: f"heard as it is now: {peer()}", 90)


def in_order(mainpc, directory):
    until(lambda: mainpc.services().get("api", {}).get("state") == "running", lambda: f"api runs: {mainpc.stderr}", 90)
    # it runs before its shell has written that
    order = until(lambda: "api" in (found := (directory / "order").read_text().split()) and found, "api writes")
    equal(sorted(order), ["api", "base", "migrate", "model"], "each once")
    check(order.index("base") < order.index("model") < order.index("api") and order.index("migrate") < order.index("model"),
          f"in order: {order}")
    found = heard()
    equal((found["host"], found["error"], found["url"]), ("pc2", None, "http://10.77.0.2:9180/status"), "the peer")
    equal([service["name"] for service in peer()["services"]], ["migrate", "model"], "its services")
    until(lambda: [(host["name"], host["state"], host["ready"]) for host in json.loads(get("/fleet"))["hosts"]] ==
          [("mainpc", "ok", True), ("pc2", "ok", True)], lambda: f"/fleet: {get('/fleet')}")
    until(lambda: 'muster_peer_services{peer="pc2",state="completed"} 1' in get("/metrics"), "metrics")
    until(lambda: 'muster_peer_up{peer="pc2"} 1' in get("/metrics"), "metrics")


def cut_off(mainpc, other):
    pid = mainpc.services()["api"]["pid"]
    run(*other, "ip", "link", "set", "muster2", "down")
    until(lambda: peer()["state"] == "stale", "stale", 60)
    age = peer()["age_seconds"]
    check(age >= 1.2, f"after three periods: {age}")
    until(lambda: peer()["age_seconds"] > age + 1, "its age grows", 60)
    equal([service["name"] for service in peer()["services"]], ["migrate", "model"], "what is known is kept")
    check(peer()["error"], "it is said why")
    until(lambda: mainpc.services()["pc2/model"]["state"] == "unhealthy", "the dependency is not met any more", 60)
    contains(reason(mainpc, "pc2/model"), "pc2 is silent for ", "why")
    equal(mainpc.services()["api"]["pid"], pid, "who runs is left alone")
    equal(get("/readyz"), "ok\n", "this host is ready")
    contains(get("/metrics"), 'muster_peer_up{peer="pc2"} 0', "metrics")
    check('muster_peer_services{peer="pc2"' not in get("/metrics"), "what is not known is not counted")
    mainpc.ctl("restart", "--no-wait", "api")
    until(lambda: mainpc.services()["api"]["state"] == "waiting", "who starts anew waits", 60)
    return pid


def comes_back(mainpc, other, pid):
    run(*other, "ip", "link", "set", "muster2", "up")
    until(lambda: mainpc.services()["api"]["state"] == "running", lambda: f"api starts again: {peer()}", 90)
    check(mainpc.services()["api"]["pid"] != pid, "another process")
    heard()


def started_anew(stack, mainpc, pc2, other, directory):
    pid = mainpc.services()["api"]["pid"]
    equal(pc2.ctl("shutdown", "--timeout", "60s").returncode, 0, "shutdown")
    equal(pc2.wait(60), 0, "exit code")
    until(lambda: peer()["state"] == "stale", "it is gone", 60)
    pc2 = start(stack, other, "pc2", directory)
    equal({service["name"]: service["state"] for service in heard()["services"]}, {"migrate": "completed", "model": "ready"}, "services")
    until(lambda: mainpc.services()["pc2/model"]["state"] == "ready", "the dependency is met again", 60)
    equal(mainpc.services()["api"]["pid"], pid, "who runs was left alone")
    return pc2


def main():
    for program in ("ip", "nsenter", "unshare"):
        need(program)
    directory = in_network_namespace()
    with two_hosts(__file__, directory) as hosts, contextlib.ExitStack() as stack:
        began = time.monotonic()
        mainpc = start(stack, hosts["mainpc"], "mainpc", directory)
        waits(mainpc)
        events = Events()
        pc2 = start(stack, hosts["pc2"], "pc2", directory)
        in_order(mainpc, directory)
        pid = cut_off(mainpc, hosts["pc2"])
        comes_back(mainpc, hosts["pc2"], pid)
        pc2 = started_anew(stack, mainpc, pc2, hosts["pc2"], directory)

        def changes():
            states = [event["state"] for event in events.peers]
            return [state for i, state in enumerate(states) if not i or states[i - 1] != state]

        # on a busy machine a host may be silent for a moment more than these two times
        until(lambda: len(changes()) > 4 and changes() == ["ok", "stale"] * (len(changes()) // 2) + ["ok"],
              lambda: f"told to those who follow /events: {changes()}")
        for init in (mainpc, pc2):
            equal(init.ctl("shutdown", "--timeout", "60s").returncode, 0, "shutdown")
            equal(init.wait(60), 0, "exit code")
        print(f"in {time.monotonic() - began:.1f} s")


if sys.argv[1:2] == ["--host"]:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print("ready", flush=True)
    sys.stdin.read()
else:
    main()
