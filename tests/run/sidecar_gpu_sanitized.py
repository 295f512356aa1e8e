# SPDX-License-Identifier: MIT
"""What the tests of GPUs do finds no wrong use of memory: the same, with the sidecar built with sanitizers."""

import os
import subprocess
import sys

from lib import BUILD, ROOT, check, skip

SIDECAR = BUILD / "sanitize-address-undefined" / "muster-sidecar"
TESTS = ("status", "none", "crash", "errors", "ends")


def main():
    if not SIDECAR.exists():
        skip(f"{SIDECAR} is not built")
    env = os.environ | {"MUSTER_TESTED_SIDECAR": str(SIDECAR),
                        "ASAN_OPTIONS": "detect_leaks=0"}  # a confined process cannot look for them
    running = [(name, subprocess.Popen([sys.executable, str(ROOT / "tests" / "run" / f"sidecar_gpu_{name}.py")], env=env,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)) for name in TESTS]
    for name, process in running:
        output, _ = process.communicate(timeout=110)
        text = output.decode("utf-8", "replace")
        check(process.returncode == 0, f"{name}:\n{text}")
        check("runtime error" not in text, text)


main()
