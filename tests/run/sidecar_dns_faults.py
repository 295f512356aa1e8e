# SPDX-License-Identifier: MIT
"""Whatever a name server does wrong, a probe has the right verdict and fails in the phase `resolve`."""

import threading

from lib import check, equal, until
from sidecarlib import Page, Sidecar, Target, in_network_namespace
from sidecarlib.dns import A, AAAA
from sidecarlib.faults import HERE, LATE, RESOLV_CONF, TIMEOUT, VERDICTS, Faults

PATIENCE = 2 * TIMEOUT  # with the servers, which may stand still for a while


def check_verdicts(port):
    names = list(VERDICTS)
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": f"s{i}"} for i in range(len(names))])
        for slot, name in enumerate(names):
            serial = sidecar.watch(slot, f"tcp://{name}:{port}", period=600000, service=slot,
                                   timeout=TIMEOUT if VERDICTS[name] == LATE else PATIENCE)
            for _ in range(12):
                sidecar.get("/status")  # more often than it is made anew: and the outcome is seen at once
            result = sidecar.wait_result(lambda one, serial=serial: one["serial"] == serial, name)
            phase = sidecar.get("/status").json()["services"][slot]["probe"]["phase"]
            reason = VERDICTS[name]
            equal((name, result["ok"]), (name, reason == ""), f"verdict ({result['reason']})")
            equal((name, phase), (name, None if result["ok"] else "resolve"), f"phase ({result['reason']})")
            check(not reason or reason == result["reason"], f"{name}: {result['reason']!r}, not {reason!r}")
            sidecar.drop(slot, serial)
        sidecar.alive()


def check_kept(port):
    """In turns an address of others and the loopback's, each good for no time at all: the answer is kept."""
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "web"}])
        sidecar.watch(0, f"tcp://alternating.test:{port}", period=50, timeout=PATIENCE, success=1000)
        verdicts = {sidecar.result()["ok"] for _ in range(20)}
        equal(verdicts, {True}, "verdicts within a second")


def check_late(names, port):
    """Who has addresses of one family goes on with them; what comes later of the other is known the next time."""
    for first, other, nowhere in ((A, AAAA, "127.0.0.99"), (AAAA, A, "::ffff:127.0.0.99")):
        name = f"late{first}.test"
        names.records |= {(name, first): [nowhere], (name, other): [HERE[other]]}
        names.held[name, other] = threading.Event()
        with Sidecar() as sidecar:
            Page(sidecar.run_dir, [{"name": "web"}])
            sidecar.watch(0, f"tcp://{name}:{port}", period=50, timeout=PATIENCE)
            result = sidecar.result()
            check(not result["ok"] and "refused" in result["reason"], f"{name}: {result['reason']}")
            names.held[name, other].set()
            sidecar.wait_result(lambda one: one["ok"], f"{name}: both families are known")
            equal(names.asked.count((name, first)), 1, f"{name}: questions for the family that has answered")


def check_one_host(names, port):
    """What a search domain has of one family is not mixed with what the next one has of the other."""
    for first, other in ((A, AAAA), (AAAA, A)):
        name = f"half{first}"
        elsewhere = HERE[other].replace("0.0.1", "0.0.98")
        names.records |= {(f"{name}.x.test", first): [HERE[first]], (f"{name}.y.test", other): [elsewhere]}
        with Target(host="127.0.0.98", port=port) as wrong, Sidecar() as sidecar:
            Page(sidecar.run_dir, [{"name": "web"}])
            sidecar.watch(0, f"tcp://{name}:{port}", period=50, timeout=PATIENCE, success=1000)
            sidecar.wait_result(lambda one: one["ok"], name)
            until(lambda name=name, other=other: (f"{name}.y.test", other) in names.asked, "the other family is searched for")
            for _ in range(3):
                equal(sidecar.result()["ok"], True, f"{name}: verdict")
            equal(wrong.accepted, 0, f"{name}: connections to the other host")


def main():
    directory = in_network_namespace()
    (directory / "resolv.conf").write_text(RESOLV_CONF)
    faults = Faults()
    with Target() as target:
        check_verdicts(target.port)
        faults.turn = 0
        check_kept(target.port)
        check_late(faults, target.port)
        check_one_host(faults, target.port)


main()
