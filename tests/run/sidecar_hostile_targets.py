# SPDX-License-Identifier: MIT
"""Whatever a target answers, slowly, endlessly, wrongly or not at all, over HTTP, gRPC, TLS or TCP, the
probe has the right verdict and names the phase that failed, and the sidecar's memory stays what it was."""

import os
import re
import time

from lib import check, equal
from sidecarlib import Page, Sidecar, own_memory
from sidecarlib.hostile import TIMEOUT, Hostile, first_failure


def probe_all(sidecar, modes):
    """Ten of them at a time; for each its first result, and what /status says of the probe, which may have been made
    again since."""
    slots = {sidecar.watch(slot, mode.url, period=600000, timeout=TIMEOUT, service=slot): slot
             for slot, mode in enumerate(modes)}
    found = {}
    while slots:
        result = sidecar.result()
        slot = slots.pop(result["serial"], None)
        if slot is not None:
            found[slot] = result, sidecar.get("/status").json()["services"][slot]["probe"]
            sidecar.drop(slot, result["serial"])
    return [found[slot] for slot in range(len(modes))]


def check_all(sidecar, modes):
    wrong = []
    for mode, (result, probe) in zip(modes, probe_all(sidecar, modes)):
        reason, phase = first_failure(probe)
        if not mode.judges(result["ok"], reason, phase):
            wrong.append(f"{mode}: {result['ok']}, {reason!r}, {phase!r}; not {mode.reason!r}, {mode.phase!r}")
        equal(result["reason"], reason, f"{mode}: result, beside {probe}")
        check(not result["ok"] or probe["failures"] == [] and probe["phase"] is None, f"{mode}: {probe}")
        if mode.url.startswith("https") and result["ok"]:
            left = time.mktime(time.strptime(probe["tls_expiry"][:19], "%Y-%m-%dT%H:%M:%S")) - time.time()
            check(6 * 86400 < left < 8 * 86400, f"{mode}: {probe}")
    check(not wrong, "\n".join(wrong))


def main():
    with Hostile() as hostile, Sidecar(env=hostile.env) as sidecar:
        Page(sidecar.run_dir, [{"name": f"s{i}"} for i in range(len(hostile.modes))])
        check_all(sidecar, hostile.modes)
        before = own_memory(sidecar.pid)
        check_all(sidecar, hostile.modes)
        grown = own_memory(sidecar.pid) - before
        check(grown < 1024 or "ASAN_OPTIONS" in os.environ, f"memory grew by {grown} kB")
        certificates = re.findall(r'(?m)^muster_probe_tls_expiry_timestamp_seconds{service="(.*?)",.*} (.*)$',
                                  sidecar.get("/metrics").text)
        shown = ("https", "https 503", "https of another name", "grpcs serving", "grpcs asked of HTTP/1.1")
        names = {f"s{i}" for i, mode in enumerate(hostile.modes) if mode.name in shown}
        equal({name for name, _ in certificates}, names, "services that showed a certificate of a known issuer")
        check(all(6 * 86400 < float(at) - time.time() < 8 * 86400 for _, at in certificates), certificates)
        sidecar.alive()


main()
