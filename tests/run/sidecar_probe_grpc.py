# SPDX-License-Identifier: MIT
"""A grpc:// probe and the gRPC library of Google agree: SERVING, NOT_SERVING, a service that is not known,
a server without a health service, and one that is too slow; again and again."""

import pathlib
import subprocess
import sys

from lib import equal, matches, skip, until
from sidecarlib import Page, Sidecar

LATE = "late"
SERVER = """
import sys, time
from concurrent import futures
import grpc

def check(request, context):
    name = request[2:].decode()
    if name == "slow":
        time.sleep(5)
    if name == "unknown":
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return b"" if name == "undecided" else bytes([8, 2 if name == "sick" else 1])

def serve(handlers):
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port

method = grpc.unary_unary_rpc_method_handler(check)
well = serve((grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method}),))
other = serve((grpc.method_handlers_generic_handler("some.Other", {"Check": method}),))
print(well[1], other[1], flush=True)
sys.stdin.read()
"""


def python_with_grpc():
    for python in (sys.executable, "/usr/bin/python3"):
        if pathlib.Path(python).exists() and not subprocess.run([python, "-c", "import grpc"], capture_output=True,
                                                                check=False).returncode:
            return python
    return skip("python3-grpcio is not installed")


def main():
    server = subprocess.Popen([python_with_grpc(), "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        well, other = server.stdout.readline().split()
        cases = [(f"grpc://127.0.0.1:{well}", ""), (f"grpc://localhost:{well}/any.Service", ""),
                 (f"grpc://127.0.0.1:{well}/sick", "NOT_SERVING"), (f"grpc://127.0.0.1:{well}/undecided", "UNKNOWN"),
                 (f"grpc://127.0.0.1:{well}/unknown", "the server has no service of this name"),
                 (f"grpc://127.0.0.1:{other}/x", "the server has no health service"),
                 (f"grpc://127.0.0.1:{well}/slow", LATE)]
        with Sidecar() as sidecar:
            Page(sidecar.run_dir, [{"name": "web"}])
            for target, reason in cases:
                serial = sidecar.watch(1, target, period=50, timeout=400 if reason is LATE else 10000,
                                       success=1000)
                for _ in range(4):
                    result = sidecar.wait_result(lambda one, serial=serial: one["serial"] == serial, target)
                    if reason is LATE:  # both sides know the deadline, and either may be the first to say so
                        matches(result["reason"], r"^timed out after 400ms|^grpc status 4 \(DEADLINE_EXCEEDED\)$", target)
                    else:
                        equal((target, result["ok"], result["reason"]), (target, not reason, reason), "verdict")
                sidecar.drop(1, serial)
            until(lambda: sidecar.get("/status").json()["services"][0]["probe"] is None, "after the last is gone")
    finally:
        server.stdin.close()
        server.wait(60)


main()
