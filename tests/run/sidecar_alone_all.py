# SPDX-License-Identifier: MIT
"""Without any muster-init every endpoint answers as with one: addresses, peers, GPUs, metrics, events and the
one-shot commands included."""

import contextlib
import json
import pathlib
import subprocess
import tempfile

from lib import SIDECAR, check, contains, equal, until
from sidecarlib import OK, Sidecar, Target, answering, silent_port
from sidecarlib.events import Stream
from sidecarlib.gpu import Scenario, library
from sidecarlib.metrics import scrape, value
from sidecarlib.peer import Peer
from sidecarlib.schema import check_schema

CONFIG = """
[muster]
name = pc7
[sidecar]
connections = 5
[address:cache]
port = {db}
fallback = 127.0.0.1
[peer:pc2]
url = http://127.0.0.1:{peer}
period = 1s
[service:db]
type = external
readiness_probe = tcp://127.0.0.1:{db}
readiness_probe_period = 100ms
[service:web]
type = external
depends_on = db, address:cache, pc2/redis
readiness_probe = http://127.0.0.1:{web}/
readiness_probe_period = 100ms
liveness_probe = tcp://127.0.0.1:{web}
"""
TYPES = {"/livez": "text/plain", "/readyz": "text/plain", "/readyz/web": "text/plain", "/readyz?verbose": "text/plain",
         "/startupz": "text/plain", "/health": "application/health+json", "/status": "application/json",
         "/metrics": "text/plain", "/resolve": "application/json", "/resolve/cache": "application/json",
         "/timeline": "application/json", "/timeline.svg": "image/svg+xml", "/fleet": "application/json", "/": "text/html"}


def once(*words):
    result = subprocess.run([SIDECAR, *words], capture_output=True, text=True, timeout=60, check=False)
    return result.returncode, result.stdout


def services(sidecar):
    return {one["name"]: one for one in sidecar.get("/status").json()["services"]}


def main():
    held, port = silent_port()
    scenario = Scenario("gpus 1")
    with contextlib.ExitStack() as stack:
        stack.callback(scenario.close)
        web = stack.enter_context(Target(answering(OK)))
        peer = stack.enter_context(Peer(redis={"state": "starting"}))
        path = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()), "watch.ini")
        path.write_text(CONFIG.format(db=port, web=web.port, peer=peer.port))
        sidecar = stack.enter_context(Sidecar("-c", path, linked=False,
                                              env={"FAKE_NVML": str(scenario.file), "MUSTER_NVML": library()}))
        contains(sidecar.stderr, "[service:web] liveness_probe: without muster-init it is not made", "warning")
        events = stack.enter_context(Stream(sidecar))
        for page, kind in TYPES.items():
            answer = sidecar.get(page)
            equal(answer.headers["Content-Type"].partition(";")[0], kind, f"type of {page}")
            wanted = 503 if page in ("/readyz", "/readyz?verbose", "/startupz", "/health") else 200
            check(answer.status in (wanted, 503 if page == "/readyz/web" else wanted), f"{page}: {answer.status}")
        until(lambda: "db: connection refused" in sidecar.get("/readyz").text, "root cause")
        base = f"http://127.0.0.1:{sidecar.port}"
        until(lambda: "pc2/redis: it is starting there" in sidecar.get("/readyz").text, "the peer's word")
        until(lambda: once("health", base) == (1, sidecar.get("/readyz").text), "health says what /readyz says")
        held.listen(4096)  # nobody takes what comes
        peer.services["redis"] = {"state": "ready", "ready": True}
        until(lambda: sidecar.get("/readyz").status == 200, "all is ready")
        equal(services(sidecar)["pc2/redis"]["state"], "ready", "the service of the peer")
        seen = {}

        def all_told():
            while events.queue:
                event = events.queue.pop(0)
                if event.get("event") == "state":
                    data = json.loads(event["data"])
                    seen[data["service"]] = data["state"]
            return {"db", "pc2/redis", "address:cache"} <= {name for name in seen if seen[name] == "ready"}

        events.wait(all_told, "the changes are told")
        status = until(lambda: next((found for found in [sidecar.get("/status").json()] if found["gpus"]), None), "the GPU", 60)
        equal((status["gpu"]["state"], len(status["gpus"]), status["peers"][0]["state"]), ("ok", 1, "ok"), "GPUs and peers")
        check_schema("status", status)
        health = sidecar.get("/health").json()
        check_schema("health", health)
        equal(health["checks"]["address cache:state"][0]["componentId"], "address:cache", "a name with a colon")
        for open_format in (False, True):
            found = scrape(sidecar, open_format)
            equal(value(found, "muster_ready"), 1, "muster_ready")
            equal(value(found, "muster_peer_up", peer="pc2"), 1, "muster_peer_up")
            check(value(found, "muster_probes_total", service="web", check="readiness") > 0, "probes")
            check(any(name == "muster_gpu_utilization_ratio" for name, _ in found), "GPU metrics")
            check(value(found, "muster_probe_stretch_ratio") >= 1, "adaptive")
        cache = sidecar.get("/resolve/cache").json()
        equal((cache["host"], cache["port"], cache["state"]), ("127.0.0.1", port, "up"), "address")
        equal([host["name"] for host in sidecar.get("/fleet").json()["hosts"]], ["pc7", "pc2"], "fleet")
        equal(once("health", base), (0, "ok\n"), "health, when all is ready")
        equal(once("-c", str(path), "probe", "address:cache")[0], 0, "probe")
        equal(once("-c", str(path), "wait", f"{base}/readyz", "--timeout", "20s")[0], 0, "wait")
        contains(once("-c", str(path), "resolve", "cache")[1], f"127.0.0.1:{port}", "resolve")


main()
