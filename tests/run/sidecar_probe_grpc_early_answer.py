# SPDX-License-Identifier: MIT
"""A gRPC server may answer, and reset the stream, before it has heard all of the request: that is its answer."""

from lib import equal, need
from sidecarlib import Page, Sidecar, Target, h2

# so that the answer is there before the body of the request is sent
SLOW = [need("strace"), "-f", "-qq", "-o", "/dev/null", "-e", "trace=sendto", "-e", "inject=sendto:delay_exit=50000"]


def early(stream, _):
    return (h2.headers(stream, {**h2.GRPC, "grpc-status": "12"}, end=True) +
            h2.frame(h2.RST_STREAM, 0, stream, bytes(4)))


def main():
    seen = []

    def serve(connection):
        seen.append(connection)
        # libcurl loses such an answer: it is asked again, and this time not interrupted
        h2.serving(early, patient=len(seen) > 1)(connection)

    with Target(serve) as target, Sidecar(prefix=SLOW, env={"ASAN_OPTIONS": "detect_leaks=0"}) as sidecar:
        Page(sidecar.run_dir, [{"name": "web"}])
        sidecar.watch(0, f"grpc://127.0.0.1:{target.port}", period=600000, timeout=20000)
        result = sidecar.result()
        equal((result["ok"], result["reason"]), (False, "the server has no health service"), "verdict")


main()
