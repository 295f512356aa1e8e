# SPDX-License-Identifier: MIT
"""The reference stack runs in containers by the Compose file that is made of it: 84 services in two of them, all ready,
and ended in order with nobody killed."""
import json
import pathlib
import subprocess
import sys
import tempfile

from imagelib import build_images
from imagelib.compose import UP_SECONDS, Project, docker

from lib import ROOT, contains, equal

SERVICES = {"mainpc": 58, "pc2": 26}
PORTS = {"MAINPC_PORT": "29180", "PC2_PORT": "29181", "WEB_PORT": "28081"}


def main():
    engine = docker()
    build_images(engine)
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        subprocess.run([sys.executable, ROOT / "demo/reference/generate.py", "--scale", "0.1", "compose", folder],
                       check=True)
        with Project(engine, folder, env=PORTS) as project:
            project.do("up", "--wait", "--wait-timeout", "120", seconds=UP_SECONDS)
            for host, count in SERVICES.items():
                status = json.loads(project.do("exec", "-T", host, "musterctl", "status", "--json"))
                states = {each["name"]: each["state"] for each in status["services"]
                          if each["name"] != "muster-sidecar" and "/" not in each["name"]}
                equal((len(states), set(states.values())), (count, {"ready"}), f"services of {host}: {states}")
                contains(project.get(f"http://127.0.0.1:{PORTS[host.upper() + '_PORT']}/"), "<html", "dashboard")
            equal(project.get(f"http://127.0.0.1:{PORTS['WEB_PORT']}/"), "ready\n", "what the API says through nginx")
            for service, end in project.down().items():
                equal((service, end.code, set(end.signals)), (service, 0, {"15"}), "code and signals")
                contains(end.output, "none had to be killed", f"last word of {service}")


main()
