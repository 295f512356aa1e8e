# SPDX-License-Identifier: MIT
"""Started by init or alone, the sidecar has no capabilities, no way to any, a filter, and sees few files."""
import os
import urllib.request

from lib import Init, check, equal, free_port, proc_status, tool, until
from sidecarlib import OK, Sidecar, Target, answering


def look(pid, what):
    status = proc_status(pid)
    equal(status["NoNewPrivs"], "1", f"{what}: NoNewPrivs")
    equal(status["Seccomp"], "2", f"{what}: Seccomp")
    for name in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        equal(int(status["Cap" + name], 16), 0 if os.geteuid() == 0 or name != "Bnd" else int(status["CapBnd"], 16),
              f"{what}: Cap{name}")
    equal(status["Threads"], "1", f"{what}: threads")
    return status


with Target(answering(OK)) as target, Sidecar() as sidecar:
    sidecar.watch(1, f"http://127.0.0.1:{target.port}/")
    sidecar.wait_result(lambda one: one["ok"], "the probe")
    look(sidecar.pid, "with a channel")
    check("cannot" not in sidecar.stderr, sidecar.stderr)

PORT = free_port()
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:{PORT}
[service:web]
command = {tool("misbehave")} forever
"""
with Init(config=CONFIG) as init:
    init.wait_state("muster-sidecar", "running", "ready")
    pid = init.outside(init.services()["muster-sidecar"]["pid"])
    # it is confined before it answers
    init.wait_line("serving http://")
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/livez", timeout=20) as answer:
        equal(answer.status, 200, "/livez")
    status = look(pid, "started by init")
    if os.geteuid() == 0:
        check("0" not in status["Uid"].split() + status["Gid"].split(), f"its user: {status['Uid']}")
        equal(len(status["Groups"].split()), 1, "its groups")
    check("cannot limit" not in init.stderr, init.stderr)

ALONE = """[service:web]
type = external
readiness_probe = tcp://127.0.0.1:{port}
"""
with Target() as target:
    sidecar = Sidecar(linked=False)
    path = sidecar.dir / "watch.ini"
    path.write_text(ALONE.format(port=target.port))
    sidecar.args += ["-c", str(path)]
    with sidecar:
        until(lambda: sidecar.get("/readyz").status == 200, "/readyz is 200")
        look(sidecar.pid, "alone")
