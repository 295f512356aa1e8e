# SPDX-License-Identifier: MIT
"""How old the sidecar's word is can be seen, where it should have been heard since."""
from ctllib import INTERNAL, WANTED, FakeInit, now, service
from lib import equal, matches

SERVICES = [service("web"), service("muster-sidecar", "running", flags=INTERNAL | WANTED)]
SECOND = 10**9


def lines(beat, services=SERVICES):
    with FakeInit(services, beat=beat) as init:
        health = init.ctl("health")
        equal(health.returncode, 0, "exit code")
        equal(health.stdout.count("\n"), 1, "lines")
        return health.stdout, init.ctl("status").stdout


for fresh in (0, now(), now() + SECOND):
    health, status = lines(fresh)
    equal("heard" in health + status, False, f"{health!r} {status!r}")
health, status = lines(now() - 21 * SECOND)
matches(health, r"^ready: ready, 1 of 1 services ready, the sidecar was not heard for 2\ds$", "health")
matches(status, r"^muster-sidecar +running .* not heard for 2\ds$", "status")
health, status = lines(now() - 21 * SECOND, [SERVICES[0], service("muster-sidecar", "backoff", flags=INTERNAL | WANTED,
                                                                  reason=b"killed by SIGKILL")])
matches(status, r"^muster-sidecar +backoff .* killed by SIGKILL$", "status")
