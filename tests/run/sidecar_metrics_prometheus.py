# SPDX-License-Identifier: MIT
"""A real Prometheus scrapes /metrics, as OpenMetrics by its own choice and as text: up, without an error,
and with the same values of the same series under both."""

import contextlib
import json
import pathlib
import subprocess
import tempfile
import urllib.parse
import urllib.request

from lib import check, equal, free_port, need, until
from sidecarlib import OK, Page, Sidecar, Target, answering
from sidecarlib.metrics import OPEN, TEXT

CONFIG = """
global:
  scrape_interval: 5s
  scrape_timeout: 5s
scrape_configs:
  - job_name: own_choice
    static_configs: [targets: ["127.0.0.1:{port}"]]
  - job_name: text
    static_configs: [targets: ["127.0.0.1:{proxy}"]]
"""


class Prometheus:
    """In a directory of its own, on a port of loopback."""

    def __init__(self, program, directory, **ports):
        self.port = free_port()
        config = pathlib.Path(directory, "prometheus.yml")
        config.write_text(CONFIG.format(**ports))
        self.log = pathlib.Path(directory, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)

    def get(self, path):
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return json.load(answer)["data"]
        check(self.process.poll() is None, f"prometheus has ended: {self.log.read_text()}")
        return None

    def targets(self):
        found = self.get("/api/v1/targets") or {"activeTargets": []}
        return {one["labels"]["job"]: (one["health"], one["lastError"]) for one in found["activeTargets"]}

    def query(self, expression):
        """{job: {labels without job and instance: value}}"""
        found = {}
        answer = until(lambda: self.get("/api/v1/query?" + urllib.parse.urlencode({"query": expression})), "an answer")
        for one in answer["result"]:
            labels = one["metric"]
            job = labels.pop("job")
            labels.pop("instance")
            found.setdefault(job, {})[frozenset(labels.items())] = one["value"][1]
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait()


def text_only(sidecar):
    """A server through which a scraper gets what the sidecar says to those who do not ask."""
    def serve(sock):
        sock.recv(65536)
        answer = sidecar.get("/metrics")
        equal(answer.headers["Content-Type"], TEXT, "type")
        sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {TEXT}\r\nContent-Length: {len(answer.body)}\r\n"
                     "Connection: close\r\n\r\n".encode() + answer.body)
    return Target(serve)


def main():
    program = need("prometheus")
    with Sidecar() as sidecar, Target(answering(OK)) as target, text_only(sidecar) as proxy, \
            tempfile.TemporaryDirectory() as directory:
        page = Page(sidecar.run_dir, [{"name": "web", "restarts": 4}, {"name": "db", "state": "failed"}])
        page.set_phase("degraded")
        sidecar.watch(1, f"http://127.0.0.1:{target.port}/", service=0, period=3600000)
        check(sidecar.result()["ok"], "probe")
        prometheus = Prometheus(program, directory, port=sidecar.port, proxy=proxy.port)
        try:
            good = {"own_choice": ("up", ""), "text": ("up", "")}
            until(lambda: prometheus.targets() == good, lambda: f"both are up: {prometheus.targets()}", 60)
            # a scrape is known to have gone well a little before its values are there
            restarts = until(lambda: found if len(found := prometheus.query("muster_service_restarts_total")) == 2 else None,
                             "values of both")
            equal(restarts["own_choice"][frozenset({("__name__", "muster_service_restarts_total"),
                                                    ("service", "web")})], "4", "a counter")
            equal(restarts["own_choice"], restarts["text"], "counters")
            steady = '{__name__=~"muster_(service|probe|phase|ready|build).*",__name__!~".*duration.*sum"}'
            both = prometheus.query(steady)
            equal(both["own_choice"], both["text"], "series and values under both formats")
            check(len(both["text"]) > 50, "there are some")
            equal(sidecar.get("/metrics", Accept="application/openmetrics-text").headers["Content-Type"], OPEN, "type")
            until(lambda: prometheus.targets() == good, lambda: f"still up: {prometheus.targets()}", 60)
        finally:
            prometheus.stop()


main()
