# SPDX-License-Identifier: MIT
"""A new configuration with errors is refused with all of them, and everything goes on as before."""
from lib import Init, contains, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} forever
[service:db]
command = {M} forever
"""
BAD = f"""
[service:web]
command = {M} sleep 5
depends_on = nobody
[service:new]
command = {M} forever
restart = sometimes
"""

with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    before = init.services()
    init.write("muster.ini", BAD)
    result = init.ctl("reload")
    equal(result.returncode, 1, "exit code of musterctl reload")
    for part in ("refused", "muster.ini:4: [service:web] depends_on: ", "muster.ini:7: [service:new] restart: "):
        contains(result.stderr, part, "what musterctl says")
    init.signal(1)
    init.wait_line("error: reload: .*refused")
    init.wait_line(r"error: reload: .*muster.ini:7: \[service:new\] restart: ")
    (init.dir / "muster.ini").unlink()
    result = init.ctl("reload")
    equal(result.returncode, 1, "exit code without a file")
    contains(result.stderr, "muster.ini", "what musterctl says")

    def pids(services):
        return {name: service["pid"] for name, service in services.items()}

    equal(pids(init.services()), pids(before), "processes")
    # and mended, it is taken
    init.write("muster.ini", CONFIG + f"[service:new]\ncommand = {M} forever\n")
    equal(init.ctl("reload").stdout, "added: new\n", "what musterctl says")
    init.wait_state("new", "running")
    equal(pids(init.services()) | pids(before), pids(init.services()), "processes")
