# SPDX-License-Identifier: MIT
"""`muster-sidecar -c FILE` without any muster-init probes the external services of the file by itself,
counts towards their thresholds, and tells the same as with one."""

import contextlib
import pathlib
import tempfile

from lib import check, contains, equal, until
from sidecarlib import Sidecar, Target, read_head, silent_port

CONFIG = """
[muster]
name = pc7
mode = testing
start_timeout = 10m

[service:db]
type = external
readiness_probe = tcp://127.0.0.1:{db}
readiness_probe_period = 50ms

[service:api]
type = external
depends_on = db
readiness_probe = http://127.0.0.1:{api}/health
readiness_probe_period = 50ms
readiness_probe_failure_threshold = 4
readiness_probe_success_threshold = 2

[service:worker]
command = sleep 1000
essential = no
"""


class Api:
    status = 503
    asked = 0

    def serve(self, connection):
        while read_head(connection):
            self.asked += 1
            connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % self.status)


def state(sidecar, name):
    return next(one for one in sidecar.get("/status").json()["services"] if one["name"] == name)


def says(sidecar, status, text):
    """Waits for this answer of /readyz: when this process has stood still, for another one a probe had timed out."""
    def look():
        answer = sidecar.get("/readyz")
        return (answer.status, answer.text) == (status, text)

    until(look, lambda: f"{text!r}, not {sidecar.get('/readyz').text!r}")


def main():
    held, port = silent_port()
    api = Api()
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(Target(api.serve))
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        path = pathlib.Path(directory, "muster.ini")
        path.write_text(CONFIG.format(db=port, api=target.port))
        sidecar = stack.enter_context(Sidecar("-c", path, linked=False))
        contains(sidecar.stderr, "[service:worker]", "what it leaves out")
        until(lambda: api.asked > 8, "the api is asked")
        says(sidecar, 503, "starting\ndb: connection refused\napi: waits for db\n")
        status = sidecar.get("/status").json()
        equal((status["host"], status["mode"], status["init"]), ("pc7", "testing", None), "head")
        equal([one["name"] for one in status["services"]], ["db", "api"], "services")
        until(lambda: state(sidecar, "api")["probe"]["error"] == "status 503", "its own trouble is told, too")
        held.listen(4096)  # nobody takes what comes
        until(lambda: state(sidecar, "db")["ready"], "db is ready")
        until(lambda: "api: status 503" in sidecar.get("/readyz").text, "now the api is to blame")
        equal(sidecar.get("/startupz").status, 503, "still starting")
        api.status = 200
        until(lambda: sidecar.get("/readyz").status == 200, "all is ready")
        equal(sidecar.get("/startupz").status, 200, "started")
        equal(sidecar.get("/status").json()["phase"], "ready", "phase")
        api.status = 500
        until(lambda: state(sidecar, "api")["state"] == "unhealthy", "the threshold is reached")
        says(sidecar, 503, "degraded\napi: status 500\n")
        equal(sidecar.get("/startupz").status, 200, "once started, started")
        api.status = 200
        until(lambda: sidecar.get("/readyz").status == 200, "it has recovered")
        sidecar.process.terminate()
        equal(sidecar.wait(), 0, "exit code")
        check("error" not in sidecar.stderr, sidecar.stderr)


main()
