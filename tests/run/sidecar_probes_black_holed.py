# SPDX-License-Identifier: MIT
"""Ten thousand probes of targets that swallow everything: ten sockets at a time, a bounded memory, and
the sidecar answers and ends as promptly as ever."""

import os
import signal

from lib import check, equal
from sidecarlib import Page, Sidecar, Target, mute_until_closed, own_memory

PROBES = 10000


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def main():
    with Target(mute_until_closed, backlog=1) as mute, Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "web"}])
        sidecar.watch(0, f"http://127.0.0.1:{mute.port}/", period=60000, timeout=10)
        sidecar.result()
        before, memory = descriptors(sidecar.pid), own_memory(sidecar.pid)
        for probe in range(PROBES):
            sidecar.watch(probe, f"http://127.0.{probe // 250}.{probe % 250 + 1}:{mute.port}/"
                          if probe % 2 else f"http://127.0.0.1:{mute.port}/{probe}", period=100, timeout=10)
        most, failed = 0, set()
        while len(failed) < PROBES // 4:  # their turns come one after the other
            result = sidecar.result()
            equal(result["ok"], False, "verdict")
            failed.add(result["probe"])
            if len(failed) % 50 == 0:
                most = max(most, descriptors(sidecar.pid))
        check(most <= before + 10, f"{most} descriptors, {before} with a single probe")
        grown = (own_memory(sidecar.pid) - memory) / PROBES
        check(grown < 3 or "ASAN_OPTIONS" in os.environ, f"{grown:.1f} kB for each probe")
        sidecar.alive()
        sidecar.process.send_signal(signal.SIGTERM)
        equal(sidecar.wait(), 0, "exit code")


main()
