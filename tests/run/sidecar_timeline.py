# SPDX-License-Identifier: MIT
"""/timeline tells the start-up as data, in the words of `musterctl timeline --format json`, and
/timeline.svg as a picture."""

import xml.etree.ElementTree

from lib import equal, contains
from sidecarlib import Page, Sidecar


def main():
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, [{"name": "db"}, {"name": "api"}, {"name": "late", "state": "starting"}],
                    edges=[("api", "db", "healthy", 0)])
        for name, begin, ready in (("db", 100, 1100), ("api", 1100, 1600), ("late", 200, None)):
            page.set(name, start_begin=page.boot + begin * 10**6,
                     ready_at=page.boot + ready * 10**6 if ready else 0)
        answer = sidecar.get("/timeline")
        timeline = answer.json()
        equal({key: timeline[key] for key in ("schema", "host", "complete", "critical_path")},
              {"schema": 1, "host": "testhost", "complete": False, "critical_path": ["db", "api"]}, "head")
        equal((timeline["total_seconds"], timeline["critical_path_seconds"], timeline["sequential_seconds"]),
              (1.6, 1.5, 1.5), "seconds")
        by_name = {service["name"]: service for service in timeline["services"]}
        equal(by_name["api"], {"name": "api", "type": "service", "state": "ready", "critical": True,
                               "wait_begin": by_name["api"]["wait_begin"], "start_begin": 1.1, "ready_at": 1.6,
                               "start_seconds": 0.5, "last_dependency": "db"}, "api")
        equal((by_name["late"]["ready_at"], by_name["late"]["start_seconds"]), (None, None), "late")
        answer = sidecar.get("/timeline.svg")
        equal(answer.headers["Content-Type"], "image/svg+xml", "type")
        contains(xml.etree.ElementTree.fromstring(answer.text).tag, "svg", "picture")


main()
