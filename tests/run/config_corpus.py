#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""muster-init --check says of each file in tests/config what the file says of itself: all errors, and no others."""
import subprocess
import sys

from lib import ROOT, equal

result = subprocess.run([sys.executable, ROOT / "tests/config/check.py"], capture_output=True, text=True, check=False)
equal((result.returncode, result.stderr), (0, ""), result.stdout)
