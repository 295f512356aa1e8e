# SPDX-License-Identifier: MIT
"""A reload that changes what the sidecar does: peers that are added are asked, those that are taken away are so no more;
a stream of events ends cleanly then and goes on with ids that grow. One that only changes a probe leaves the sidecar, its
streams and its counters as they are. What musterctl waits for of another host is answered either way."""
import re

from lib import SECONDS, Init, check, contains, equal, free_port, tool, until
from sidecarlib import Sidecar
from sidecarlib.events import Stream
from sidecarlib.peer import Peer

READY = {"state": "ready", "ready": True, "pid": 9}
HTTP, WEB = free_port(), free_port()
CLIENT = Sidecar(linked=False)
CLIENT.port = HTTP


def config(*peers, period=50, waits="", keys=""):
    sections = "".join(f"[peer:{name}]\nurl = http://127.0.0.1:{port}\nperiod = 100ms\n" for name, port in peers)
    return (f"[sidecar]\nlisten = 127.0.0.1:{HTTP}\n{keys}{sections}[service:web]\n"
            f"command = {tool('misbehave')} http {WEB} {{dir}}/answer forever\n"
            f"readiness_probe = http://127.0.0.1:{WEB}/\nreadiness_probe_period = {period}ms\n"
            f"[service:late]\ncommand = sleep 1000\nessential = no\nready_timeout = 10m\n{waits}")


def status():
    try:
        return CLIENT.get("/status").json()
    except (OSError, ValueError):
        return {}


def probes_made():
    try:
        text = CLIENT.get("/metrics").body.decode()
    except OSError:
        return 0
    found = re.search(r'^muster_probe_duration_seconds_count\{[^}]*service="web"[^}]*\} (\d+)', text, re.M)
    return int(found[1]) if found else 0


def peers():
    return {peer["name"]: peer["state"] for peer in status().get("peers", ())}


class Reloads:
    def __init__(self, init):
        self.init = init

    def __call__(self, *peers, **changes):
        self.init.write("muster.ini", self.init.fill(config(*peers, **changes)))
        done = self.init.ctl("reload")
        equal(done.returncode, 0, f"reload: {done.stdout}{done.stderr}")

    def sidecar(self):
        return self.init.services()["muster-sidecar"]["pid"]


def check_probe_only(reload, one):
    """The sidecar is told, not restarted."""
    pid, made = reload.sidecar(), until(probes_made, "checks are counted")
    with Stream(CLIENT) as stream:
        stream.wait(lambda: stream.last, "the number of the last event")
        reload(("one", one.port), period=60)
        equal(reload.sidecar(), pid, "the sidecar stays")
        check(probes_made() >= made, "the counters go on")
        made = probes_made()
        until(lambda: probes_made() > made, "checks go on")
        reload.init.ctl("restart", "web")
        stream.wait(lambda: any('"web"' in event["data"] for event in stream.queue), "the stream goes on")


def check_peers(reload, one, two):
    pid = reload.sidecar()
    with Stream(CLIENT) as stream:
        stream.wait(lambda: stream.last, "the number of the last event")
        last = int(stream.last)
        reload(("one", one.port), ("two", two.port), waits="depends_on = two/redis\n")
        stream.wait_end()
    until(lambda: peers() == {"one": "ok", "two": "ok"}, lambda: f"both are asked: {peers()}")
    check(reload.sidecar() != pid, "another sidecar")
    with Stream(CLIENT, last=last) as stream:
        equal(stream.next()["event"], "reset", "what is told to who was there before")
        check(int(stream.last) > last, f"ids grow: {stream.last} behind {last}")
    reload(("two", two.port), waits="depends_on = two/redis\n")
    until(lambda: peers() == {"two": "ok"}, lambda: f"one is forgotten: {peers()}")
    before = two.asked
    until(lambda: two.asked > before + 1, "the other is asked")  # what was still to be answered to the old sidecar is by now
    with one.lock:
        asked = one.asked
    before = two.asked
    until(lambda: two.asked > before + 5, "the other is asked")
    equal(one.asked, asked, "questions to who was taken away")


def check_waits(init, two):
    done = init.ctl("wait", "--timeout", "200ms", "two/redis")
    equal(done.returncode, 4, f"not there yet: {done.stderr}")
    contains(done.stderr, "two/redis", "what was waited for")
    two.services = {"redis": READY}
    done = init.ctl("wait", "--timeout", f"{SECONDS}s", "two/redis", "late:started", seconds=2 * SECONDS)
    equal(done.returncode, 0, f"there: {done.stderr}")
    for name in ("two/nonesuch", "three/redis"):
        done = init.ctl("wait", "--timeout", f"{SECONDS}s", name, seconds=2 * SECONDS)
        equal(done.returncode, 3, f"{name}: {done.stderr}")
        contains(done.stderr, name, "which")


def check_keys(reload, two):
    """A key of [sidecar] that is on its command line."""
    pid = reload.sidecar()
    reload(("two", two.port), keys="connections = 3\n")
    until(lambda: reload.sidecar() not in (pid, None), "another sidecar")
    until(lambda: peers() == {"two": "ok"} and probes_made(), "and it does all that the one before did")
    reload.init.wait_state("web", "ready")


def main():
    with Peer("one") as one, Peer("two") as two, Init(config=config(("one", one.port))) as init:
        init.write("answer", "200 OK")
        init.wait_state("web", "ready")
        until(lambda: peers() == {"one": "ok"}, lambda: f"the peer is asked: {peers()}")
        reload = Reloads(init)
        check_probe_only(reload, one)
        check_peers(reload, one, two)
        check_waits(init, two)
        check_keys(reload, two)
        reload()
        until(lambda: not peers() and status(), "no peers")
        init.signal(15)
        equal(init.wait(), 0, "exit code")


main()
