# SPDX-License-Identifier: MIT
"""/status tells in JSON what the page says, what the sidecar's probe found, and what the main process
of a service uses; nothing of environments or targets."""

import time

from lib import check, equal
from sidecarlib import (AUTO, DEP_CAUSE, ESSENTIAL, INTERNAL, OK, WANTED, Page, Sidecar, Target, answering)

NEEDED = ESSENTIAL | WANTED | AUTO


def services(sidecar):
    return [{"name": "db", "state": "ready", "probe": "tcp", "pid": sidecar.pid, "restarts": 2, "starts": 3,
             "last_exit": 137},
            {"name": "api", "state": "waiting", "flags": NEEDED | DEP_CAUSE, "cause": 0, "reason": "waits for db",
             "probe": "exec", "failures": 1},
            {"name": "web", "state": "ready", "probe": "http"},
            {"name": "muster-sidecar", "flags": NEEDED | INTERNAL}]


def check_whole(status):
    equal({key: status[key] for key in ("schema", "host", "mode", "phase", "ready")},
          {"schema": 1, "host": "testhost", "mode": "container", "phase": "ready", "ready": True}, "head")
    check(5 <= status["uptime"] < 300, f"uptime {status['uptime']}")
    check(abs(time.time() - time.mktime(time.strptime(status["time"][:19], "%Y-%m-%dT%H:%M:%S")) +
              time.timezone) < 300, status["time"])
    equal(status["startup"]["done"], True, "start-up done")
    check(status["startup"]["seconds"] >= 5, "start-up seconds")
    equal(status["startup"]["critical_path"], ["db", "web"], "critical path")
    equal([service["name"] for service in status["services"]], ["db", "api", "web"], "services")


def check_services(status):
    db, api, web = status["services"]
    equal({key: db[key] for key in ("type", "state", "ready", "score", "restarts", "last_exit", "reason", "cause")},
          {"type": "service", "state": "ready", "ready": True, "score": 100, "restarts": 2, "last_exit": 137,
           "reason": None, "cause": None}, "db")
    check(db["memory_bytes"] > 100000 and db["cpu_seconds"] >= 0, f"usage {db}")
    equal(db["start_seconds"], 1.4, "start_seconds")
    check(db["since"].endswith("Z"), db["since"])
    equal((api["pid"], api["last_exit"], api["memory_bytes"], api["cpu_seconds"]), (None,) * 4, "api has not run")
    equal((api["reason"], api["cause"], api["ready"]), ("waits for db", "db", False), "api waits")
    equal(api["depends_on"], [{"name": "db", "condition": "healthy", "optional": False}], "depends_on")
    equal(api["probe"], {"kind": "exec", "count": 0, "passed": 0, "latency_seconds": None, "age_seconds": None, "error": "waits for db",
                         "phase": None, "address": None, "address_age_seconds": None, "tls_expiry": None, "failures": []},
          "what init probes")
    equal((web["probe"]["kind"], web["probe"]["error"]), ("http", None), "what the sidecar probes")
    check(0 < web["probe"]["latency_seconds"] < 60 and 0 <= web["probe"]["age_seconds"] < 60, web["probe"])


def main():
    with Sidecar() as sidecar, Target(answering(OK)) as target:
        page = Page(sidecar.run_dir, services(sidecar), phase="starting",
                    edges=[("api", "db", "healthy", 0), ("web", "db", "healthy", 1)])
        for name, begin, ready in (("db", 100, 1500), ("web", 1500, 2000)):
            page.set(name, start_begin=page.boot + begin * 10**6, ready_at=page.boot + ready * 10**6)
        page.set_phase("ready")
        sidecar.watch(6, f"http://user:secret@127.0.0.1:{target.port}/?key=secret", timeout=60000, service=2)
        check(sidecar.result()["ok"], "probe")
        answer = sidecar.get("/status")
        equal((answer.status, answer.headers["Content-Type"]), (200, "application/json"), "answer")
        check_whole(answer.json())
        check_services(answer.json())
        for path in ("/status", "/metrics", "/health", "/", "/timeline", "/readyz?verbose"):
            check("secret" not in sidecar.get(path).text, f"a secret in {path}")


main()
