# SPDX-License-Identifier: MIT
"""Asks the whole stack one question, from the outside."""

import os
import sys
import urllib.request

URL = f"http://127.0.0.1:{os.environ['DEMO_WEB_PORT']}/muster"

with urllib.request.urlopen(URL, timeout=10) as reply:
    text = reply.read().decode().strip()
print(f"{URL} answers: {text}", flush=True)
sys.exit(text != "MUSTER retsum")
