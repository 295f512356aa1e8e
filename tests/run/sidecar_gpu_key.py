# SPDX-License-Identifier: MIT
"""`[sidecar] gpu` says whether GPUs are looked for: by muster-init, after a reload too, alone, and from the
environment; another word is an error with file and line."""

import json
import urllib.request

from lib import Init, check, contains, equal, free_port, run_init, until
from sidecarlib.gpu import Scenario, library

PORT = free_port()
CONFIG = """
[sidecar]
listen = 127.0.0.1:{port}
gpu = {gpu}
[service:web]
command = sleep 1000
"""


def state():
    """Of the sidecar that answers at the moment; None while none does."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/status", timeout=20) as answer:
            return json.load(answer)["gpu"]
    except OSError:
        return None


def wait_state(wanted):
    return until(lambda: (state() or {}).get("state") == wanted and state(), lambda: f"GPUs {wanted}: {state()}", 60)


def main():
    fake = Scenario("gpus 1")
    env = {"FAKE_NVML": str(fake.file), "MUSTER_NVML": library()}
    try:
        with Init(config=CONFIG.format(port=PORT, gpu="no"), env=env) as init:
            contains(wait_state("none")["reason"], "switched off", "reason")
            init.write("muster.ini", CONFIG.format(port=PORT, gpu="auto"))
            equal(init.ctl("reload").returncode, 0, "reload")
            wait_state("ok")
            check("overrides nothing" not in init.stderr, init.stderr)
        with Init(config=CONFIG.format(port=PORT, gpu="yes"), env={**env, "MUSTER_SIDECAR_GPU": "no"}):
            contains(wait_state("none")["reason"], "switched off", "the environment counts")
        bad = run_init("--check", config=CONFIG.format(port=PORT, gpu="maybe"))
        equal(bad.code, 78, "code")
        contains(bad.stderr, 'muster.ini:4: [sidecar] gpu: "maybe": expected auto, yes or no', "message")
    finally:
        fake.close()


main()
