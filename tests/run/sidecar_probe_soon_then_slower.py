# SPDX-License-Identifier: MIT
"""While a service starts it is probed every few millispent, whatever the period; then ever more
rarely; and after its first success once a period."""

from lib import check
from sidecarlib import Page, Sidecar, Target, answering, OK, now, silent_port


def main():
    held, port = silent_port()
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "db"}])
        # with a period of an hour, only a quick start can show all this within the patience of a test
        begin = now()
        serial = sidecar.watch(1, f"tcp://127.0.0.1:{port}", period=3600000)
        for _ in range(40):
            sidecar.wait_result(lambda one: one["serial"] == serial and not one["ok"], "a failure")
        spent = now() - begin
        # a sixteenth of the time so far, but not less than 5 ms: however slow the machine is, forty
        # checks cannot come in less time than forty such pauses
        check(spent >= 39 * 5 * 10**6, f"too fast: {spent} ns")
        held.listen(8)
        sidecar.wait_result(lambda one: one["ok"], "the service is seen to be there")
        held.close()
        # and now it has the whole hour
        with Target(answering(OK)) as other:
            sidecar.watch(2, f"http://127.0.0.1:{other.port}/", period=3600000)
            result = sidecar.result()
            check(result["ok"] and result["probe"] == 2, f"nothing of the first: {result}")


main()
