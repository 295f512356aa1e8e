# SPDX-License-Identifier: MIT
"""Beside a muster-init, without a channel, the sidecar exports the page of the directory that it is given;
it does not take process numbers of another container for its own, but of a tree that it is given. An init
that hangs up instead of answering is asked ever more seldom."""

import os
import socket
import time

from lib import SECONDS, check, contains, equal
from sidecarlib import Page, Sidecar, open_folder


def usage(sidecar):
    service = sidecar.get("/status").json()["services"][0]
    return service["cpu_seconds"], service["memory_bytes"]


def check_patience():
    """Asked after 0.1, 0.2, 0.4 ... 5 s: four times by 0.7 s, and ten times not before 25 s have gone."""
    folder = open_folder("muster-beside-")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(folder / "control.sock"))
        listener.listen(8)
        listener.settimeout(SECONDS)
        with Sidecar(linked=False, run_dir=folder):
            for _ in range(4):
                listener.accept()[0].close()
            asked, end = 4, time.monotonic() + 3
            while (left := end - time.monotonic()) > 0:
                listener.settimeout(left)
                try:
                    listener.accept()[0].close()
                except TimeoutError:
                    break
                asked += 1
    check(asked < 10, f"asked {asked} times")


def main():
    check_patience()
    with Sidecar(linked=False) as sidecar:
        Page(sidecar.run_dir, [{"name": "web", "pid": os.getpid()}], phase="ready")
        equal(sidecar.get("/readyz").status, 200, "ready")
        equal(usage(sidecar), (None, None), "of processes that it does not know")
        tree = sidecar.dir / "proc" / str(os.getpid())
        tree.mkdir(parents=True)
        (tree / "stat").write_text(f"{os.getpid()} (a) b) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 1 0 99 0 10 0\n")
        with Sidecar("--proc-root", tree.parent, linked=False, run_dir=sidecar.run_dir) as other:
            equal(usage(other), (2.0, 10 * os.sysconf("SC_PAGESIZE")), "of a tree that it is given")
        contains(sidecar.get("/metrics").text, 'muster_service_up{service="web"} 1\n', "metrics")


main()
