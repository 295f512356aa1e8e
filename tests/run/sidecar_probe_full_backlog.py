# SPDX-License-Identifier: MIT
"""A service that does not take connections makes the probe time out in the step `connect`, and a
stuck check is ended by its deadline, not waited for."""

import contextlib
import socket

from lib import equal
from sidecarlib import Page, Sidecar


def full_listener(stack):
    """A socket whose queue of connections is full: the kernel drops what comes."""
    listener = stack.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    for _ in range(4):
        client = stack.enter_context(socket.socket())
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
    return listener.getsockname()[1]


def main():
    with contextlib.ExitStack() as stack:
        port = full_listener(stack)
        sidecar = stack.enter_context(Sidecar())
        Page(sidecar.run_dir, [{"name": "stuck"}])
        for kind, timeout, words in (("tcp", 300, "300ms"), ("http", 1000, "1s")):
            serial = sidecar.watch(1, f"{kind}://127.0.0.1:{port}", period=60000, timeout=timeout)
            result = sidecar.wait_result(lambda one, serial=serial: one["serial"] == serial, kind)
            equal((result["ok"], result["reason"]), (False, f"timed out after {words} (connect)"), kind)
            sidecar.drop(1, serial)


main()
