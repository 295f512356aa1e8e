# SPDX-License-Identifier: MIT
"""SIGTERM ends the sidecar with code 0 at once, with lookups, connections and exchanges that hang."""

import contextlib
import signal

from lib import equal, until
from sidecarlib import (NameServer, Page, Sidecar, Target, in_network_namespace, mute_until_closed)


def main():
    in_network_namespace()
    names = NameServer({f"host{n}": "silent" for n in range(50)})
    for signo in (signal.SIGTERM, signal.SIGINT):
        names.asked.clear()
        with contextlib.ExitStack() as stack:
            mute = stack.enter_context(Target(mute_until_closed))
            sidecar = stack.enter_context(Sidecar())
            Page(sidecar.run_dir, [{"name": "web"}])
            # with an hour for each check, waiting for any of them would be seen
            sidecar.watch(100, f"http://127.0.0.1:{mute.port}/", period=1000, timeout=3600000)
            sidecar.watch(101, f"https://127.0.0.1:{mute.port}/", period=1000, timeout=3600000)
            until(lambda: mute.accepted == 2, "two exchanges hang")
            for number in range(50):
                sidecar.watch(number, f"http://host{number}:{mute.port}/", period=1000, timeout=3600000)
            until(lambda: len(set(names.asked)) >= 8, "lookups hang")
            sidecar.process.send_signal(signo)
            equal(sidecar.wait(), 0, "exit code")


main()
