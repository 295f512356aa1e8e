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
        answer = sidecar.get("/readyz")
        equal((answer.status, answer.text), (503, "starting\ndb: connection refused\napi: waits for db\n"), "starting")
        status = sidecar.get("/status").json()
        equal((status["host"], status["mode"], status["init"]), ("pc7", "testing", None), "head")
        equal([one["name"] for one in status["services"]], ["db", "api"], "services")
        equal(state(sidecar, "api")["probe"]["error"], "status 503", "its own trouble is told, too")
        held.listen(64)
        until(lambda: state(sidecar, "db")["ready"], "db is ready")
        contains(sidecar.get("/readyz").text, "api: status 503", "now the api is to blame")
        equal(sidecar.get("/startupz").status, 503, "still starting")
        api.status = 200
        until(lambda: sidecar.get("/readyz").status == 200, "all is ready")
        equal(sidecar.get("/startupz").status, 200, "started")
        equal(sidecar.get("/status").json()["phase"], "ready", "phase")
        api.status = 500
        until(lambda: state(sidecar, "api")["state"] == "unhealthy", "the threshold is reached")
        answer = sidecar.get("/readyz")
        equal((answer.status, answer.text), (503, "degraded\napi: status 500\n"), "degraded")
        equal(sidecar.get("/startupz").status, 200, "once started, started")
        api.status = 200
        until(lambda: sidecar.get("/readyz").status == 200, "it has recovered")
        sidecar.process.terminate()
        equal(sidecar.wait(), 0, "exit code")
        check("error" not in sidecar.stderr, sidecar.stderr)


main()
