# SPDX-License-Identifier: MIT
"""What compose/ gives to muster and to Prometheus is without an error, also where no container can be started."""

import shutil
import subprocess

from lib import INIT, ROOT, equal, skip

COMPOSE = ROOT / "compose"


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False)


def main():
    for host in ("mainpc", "pc2"):
        result = run(INIT, "-n", "-c", COMPOSE / host / "muster.ini")
        equal((result.returncode, result.stdout), (0, "ok\n"), f"check of {host}: {result.stderr}")
    if not shutil.which("promtool"):
        skip("promtool is not installed")
    result = run("promtool", "check", "config", COMPOSE / "prometheus/prometheus.yml")
    equal(result.returncode, 0, f"check of prometheus.yml: {result.stdout}{result.stderr}")


main()
