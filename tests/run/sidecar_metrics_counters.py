# SPDX-License-Identifier: MIT
"""Counters of /metrics do not go backwards and series do not come and go, however often services are
restarted and the configuration is read again; what is of a service is gone when the service is."""

import http.client
import json

from lib import Init, check, equal, free_port, tool, until
from sidecarlib.metrics import TEXT, read

M = tool("misbehave")
# not known while a service has no process; what they used before stays known
OF_PROCESSES = {f"muster_service_{name}" for name in ("memory_bytes", "processes", "threads", "open_fds")}
WEB, API, MORE, LISTEN = (free_port() for _ in range(4))


def service(name, port, extra=""):
    return f"""
[service:{name}]
command = {M} http {port} {{dir}}/{name} forever
readiness_probe = http://127.0.0.1:{port}/
    tcp://127.0.0.1:{port}
readiness_probe_period = 30ms
liveness_probe = tcp://127.0.0.1:{port}
liveness_probe_period = 30ms
restart_backoff = 1ms
restart_limit = unlimited
{extra}"""


def config(*services):
    return f"[sidecar]\nlisten = 127.0.0.1:{LISTEN}\n" + "".join(services)


class Watcher:
    """Scrapes, and compares each time with the last one."""

    def __init__(self):
        self.last = {}
        self.highest = {}  # of each counter that was ever seen

    def scrape(self):
        connection = http.client.HTTPConnection("127.0.0.1", LISTEN, timeout=30)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        equal((answer.status, answer.headers["Content-Type"]), (200, TEXT), "answer")
        found = {}
        for family in read(answer.read().decode(), False):
            if family.kind in ("counter", "histogram"):
                self.compare(family.samples)
            found.update(family.samples)
        connection.close()
        for key in set(self.last) - set(found):
            check("gone" in dict(key[1]).get("service", "") or key[0] in OF_PROCESSES, f"{key} has vanished")
        self.last = found
        return found

    def compare(self, samples):
        for key, value in samples.items():
            check(value >= self.highest.get(key, 0), f"{key} went from {self.highest.get(key)} to {value}")
            self.highest[key] = value

    def value(self, name, **labels):
        return self.scrape()[name, frozenset(labels.items())]

    def passes(self, name, check_name="readiness"):
        """Waits for more checks than there were, while looking."""
        labels = {"service": name, "check": check_name}
        before = self.value("muster_probes_total", **labels)
        until(lambda: self.value("muster_probes_total", **labels) > before + 3, f"{name} is probed")


def reload(init, *services):
    init.write("muster.ini", init.fill(config(*services)))
    equal(init.ctl("reload").returncode, 0, "exit code of musterctl reload")


def kill(init, name, watcher):
    before = watcher.value("muster_service_restarts_total", service=name)
    began = watcher.value("muster_service_start_time_seconds", service=name)
    equal(init.ctl("signal", name, "KILL").returncode, 0, "exit code of musterctl signal")
    until(lambda: watcher.value("muster_service_restarts_total", service=name) > before, f"{name} is restarted")
    until(lambda: watcher.value("muster_service_ready", service=name) == 1, f"{name} is ready again")
    check(watcher.value("muster_service_start_time_seconds", service=name) >= began, "start time")
    equal(watcher.value("muster_service_exit_code", service=name), 137, "exit code")


def main():
    web, api = service("web", WEB), service("api", API)
    with Init(config=config(web, api, service("gone", MORE))) as init:
        init.wait_line("all ready after")
        watcher = Watcher()
        for name in ("web", "api", "gone"):
            watcher.passes(name)
            watcher.passes(name, "liveness")
        until(lambda: watcher.value("muster_probe_success", service="web", check="readiness") == 1, "success")
        for _ in range(3):
            kill(init, "web", watcher)
        watcher.passes("web")
        began = watcher.value("muster_service_start_time_seconds", service="api")
        reload(init, web, service("api", API, "environment = A=b\n"), service("gone", MORE))
        until(lambda: watcher.value("muster_service_start_time_seconds", service="api") > began, "another api")
        watcher.passes("api")
        equal(init.ctl("stop", "api").returncode, 0, "exit code of musterctl stop")
        until(lambda: watcher.value("muster_probe_success", service="api", check="readiness") == 0, "api is down")
        reload(init, web, api)
        until(lambda: not any("gone" in dict(labels).get("service", "") for _, labels in watcher.scrape()), "gone")
        kill(init, "web", watcher)
        status = json.loads(init.ctl("status", "--json").stdout)
        equal({one["name"] for one in status["services"]} >= {"web", "api"}, True, "the others")
        init.signal(15)
        equal(init.wait(), 0, "exit code")


main()
