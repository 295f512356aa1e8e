# SPDX-License-Identifier: MIT
"""A name server that stops answering does not make services unhealthy: the last good answer is kept.
One that says the name is gone does."""

import contextlib

from lib import check, equal, until
from sidecarlib import OK, NameServer, Page, Sidecar, Target, answering, in_network_namespace


def main():
    in_network_namespace()
    names = NameServer({"web": ["127.0.0.1"]})
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(Target(answering(OK)))
        sidecar = stack.enter_context(Sidecar())
        Page(sidecar.run_dir, [{"name": "web"}])
        serial = sidecar.watch(1, f"http://web:{target.port}/", period=100)
        check(sidecar.result()["ok"], "first check")
        names.names["web"] = "silent"
        asked = len(names.asked)
        until(lambda: len(names.asked) > asked, "the answer has expired and is asked for again", 30)
        # the lookup hangs; checks go on by the old answer: another probe's result is the next one
        sidecar.watch(2, f"http://web:{target.port}/", period=60000)
        result = sidecar.result()
        equal((result["probe"], result["ok"]), (2, True), "while the name server hangs")
        names.names["web"] = None
        result = sidecar.wait_result(lambda one: not one["ok"], "the name is gone", 60)
        equal((result["serial"], result["reason"]), (serial, "resolve: no such name"), "verdict")
        names.names["web"] = ["127.0.0.1"]
        sidecar.wait_result(lambda one: one["ok"], "the name is back", 30)


main()
