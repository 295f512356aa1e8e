# SPDX-License-Identifier: MIT
"""Names are looked up in /etc/hosts and then in DNS, all of a name's addresses are tried, and a lookup
that fails says why, in the step `resolve`."""

import contextlib
import socket

from lib import equal
from sidecarlib import OK, NameServer, Page, Sidecar, Target, answering, in_network_namespace


def main():
    directory = in_network_namespace()
    (directory / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n127.0.0.1 from-hosts\n")
    names = NameServer({"from-dns": ["127.0.0.1"], "both": ["::1", "127.0.0.1"], "second": ["127.0.0.9", "127.0.0.1"],
                        "empty": [], "dead": "silent", "metadata": ["169.254.169.254"]})
    with contextlib.ExitStack() as stack:
        four = stack.enter_context(Target(answering(OK))).port
        six = stack.enter_context(Target(answering(OK), family=socket.AF_INET6)).port
        sidecar = stack.enter_context(Sidecar())
        Page(sidecar.run_dir, [{"name": "web"}])
        cases = [(f"tcp://from-hosts:{four}", ""),
                 (f"http://from-hosts:{four}/", ""),
                 (f"tcp://localhost:{six}", ""),
                 (f"http://localhost:{six}/", ""),
                 (f"tcp://from-dns:{four}", ""),
                 (f"http://from-dns:{four}/", ""),
                 (f"tcp://both:{four}", ""),
                 (f"http://both:{four}/", ""),
                 (f"tcp://second:{four}", ""),
                 (f"tcp://from-dns:{six}", "connection refused"),
                 (f"tcp://nowhere:{four}", "resolve: no such name"),
                 (f"http://nowhere.example:{four}/", "resolve: no such name"),
                 (f"tcp://empty:{four}", "resolve: the name has no address"),
                 (f"http://metadata:{four}/", "resolve: only addresses of a link or of metadata"),
                 (f"tcp://dead:{four}", "timed out after 800ms (resolve)")]
        for target, reason in cases:
            serial = sidecar.watch(1, target, period=60000, timeout=800 if "(resolve)" in reason else 10000)
            result = sidecar.wait_result(lambda one, serial=serial: one["serial"] == serial, target)
            equal((target, result["ok"], result["reason"]), (target, not reason, reason), "verdict")
            sidecar.drop(1, serial)
        equal("from-hosts" in names.asked, False, "DNS was asked for a name of the hosts file")


main()
