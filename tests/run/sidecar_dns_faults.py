# SPDX-License-Identifier: MIT
"""Whatever a name server does wrong, a probe has the right verdict and fails in the phase `resolve`."""

from lib import check, equal
from sidecarlib import Page, Sidecar, Target, in_network_namespace
from sidecarlib.faults import RESOLV_CONF, TIMEOUT, VERDICTS, Faults


def check_verdicts(port):
    names = list(VERDICTS)
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": f"s{i}"} for i in range(len(names))])
        for slot, name in enumerate(names):
            serial = sidecar.watch(slot, f"tcp://{name}:{port}", period=600000, timeout=TIMEOUT, service=slot)
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
        sidecar.watch(0, f"tcp://alternating.test:{port}", period=50, timeout=TIMEOUT, success=1000)
        verdicts = {sidecar.result()["ok"] for _ in range(20)}
        equal(verdicts, {True}, "verdicts within a second")


def main():
    directory = in_network_namespace()
    (directory / "resolv.conf").write_text(RESOLV_CONF)
    faults = Faults()
    with Target() as target:
        check_verdicts(target.port)
        faults.turn = 0
        check_kept(target.port)


main()
