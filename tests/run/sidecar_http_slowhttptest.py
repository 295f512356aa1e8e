# SPDX-License-Identifier: MIT
"""slowhttptest in its three modes at once (slow headers, slow bodies, slow reading), against which a
limit on silence is no help: /livez is answered all the while."""

import subprocess
import tempfile
import time

from lib import check, need
from sidecarlib import Page, Sidecar, own_memory

SECONDS_EACH = 12
MODES = {"slow headers": ["-H", "-i", "2"], "slow bodies": ["-B", "-i", "2", "-s", "8192"],
         "slow reading": ["-X", "-w", "10", "-y", "20", "-n", "2", "-z", "32", "-k", "3"]}


def main():
    program = need("slowhttptest")
    with Sidecar() as sidecar, tempfile.TemporaryDirectory() as directory:
        Page(sidecar.run_dir, [{"name": f"service-{number}"} for number in range(80)], phase="ready")
        before = own_memory(sidecar.pid)
        runs = [subprocess.Popen([program, *words, "-c", "300", "-r", "100", "-l", str(SECONDS_EACH), "-p", "1", "-u",
                                  f"http://127.0.0.1:{sidecar.port}/status"], cwd=directory,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for words in MODES.values()]
        asked, slowest = 0, 0.0
        while any(run.poll() is None for run in runs):
            begin = time.monotonic()
            sidecar.alive()
            slowest = max(slowest, time.monotonic() - begin)
            asked += 1
            time.sleep(0.02)
        for name, run in zip(MODES, runs):
            said = run.communicate()[0].decode(errors="replace")
            check(run.returncode == 0 and "connected" in said, f"{name}: {said[-2000:]}")
        print(f"{asked} questions, the slowest answer after {slowest * 1000:.1f} ms")
        check(asked > 2, "/livez was answered meanwhile")
        check(own_memory(sidecar.pid) - before < 8192, "memory")


main()
