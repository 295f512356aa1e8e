#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every entry of tests/fuzz takes its seeds, those of inputs that were mended among them, under sanitizers."""
import os
import pathlib
import subprocess

from lib import ROOT, check, equal, skip

PROGRAMS = pathlib.Path(os.environ["MUSTER_BUILD"]) / "sanitize-address-undefined" / "fuzz"
if not PROGRAMS.is_dir():
    skip("the entries are not built with SANITIZE=address,undefined")

for entry in sorted((ROOT / "tests/fuzz").glob("*.c")):
    seeds = ROOT / "tests/fuzz/seeds" / entry.stem
    count = len(list(seeds.iterdir()))
    check(count > 0, f"{seeds} holds no seeds")
    result = subprocess.run([PROGRAMS / entry.stem, seeds], capture_output=True, text=True, errors="replace", check=False)
    equal((result.returncode, result.stdout), (0, f"{count} inputs\n"), f"{entry.name}: {result.stderr[-3000:]}")
