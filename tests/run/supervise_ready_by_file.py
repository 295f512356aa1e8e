# SPDX-License-Identifier: MIT
"""A service with readiness_probe = file:PATH is ready when that file exists."""
from lib import Init, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} await {{dir}}/go append {{dir}}/state/up yes forever
readiness_probe = file:{{dir}}/state/up
"""

with Init(config=CONFIG) as init:
    until(lambda: "not ready yet: No such file or directory" in (init.services().get("web", {}).get("reason") or ""), "a reason")
    (init.dir / "state").mkdir()
    init.write("go", "")
    init.wait_state("web", "ready")
