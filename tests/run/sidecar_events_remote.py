# SPDX-License-Identifier: MIT
"""Others than this host take 24 of the 32 places of /events at most: who looks from the host itself finds one."""

import contextlib
import subprocess

from lib import check, equal, until
from sidecarlib import Page, Sidecar, in_network_namespace
from sidecarlib.events import Stream

PLACES, OF_OTHERS = 32, 24
OTHER = "192.0.2.1"  # a client with this address is not on the loopback interface, as far as a server can see


def main():
    in_network_namespace()
    subprocess.run(["ip", "address", "add", f"{OTHER}/32", "dev", "lo"], check=True)
    with Sidecar(listen="0.0.0.0:0") as sidecar, contextlib.ExitStack() as stack:
        Page(sidecar.run_dir, [{"name": "db"}], phase="ready")

        def follow(host):
            return stack.enter_context(Stream(sidecar, host=host)).status

        others = [stack.enter_context(Stream(sidecar, host=OTHER)) for _ in range(OF_OTHERS)]
        equal([stream.status for stream in others], [200] * OF_OTHERS, "places of others")
        equal((follow(OTHER), follow(OTHER)), (503, 503), "more of them")
        equal([follow("127.0.0.1") for _ in range(PLACES - OF_OTHERS)], [200] * (PLACES - OF_OTHERS), "from the host")
        equal(follow("127.0.0.1"), 503, "all places are taken")
        others[0].socket.close()
        until(lambda: follow(OTHER) == 200, "the place of one that went is free again")
        check(follow(OTHER) == 503, "and no more than that")


main()
