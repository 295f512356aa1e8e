# SPDX-License-Identifier: MIT
"""A service with readiness_probe = file:PATH is ready when that file exists."""
from lib import Init, contains, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} await {{dir}}/go append {{dir}}/state/up yes forever
readiness_probe = file:{{dir}}/state/up
"""

with Init(config=CONFIG) as init:
    reason = until(lambda: init.services().get("web", {}).get("reason"), "a reason")
    contains(reason, "not ready yet: No such file or directory", "reason")
    (init.dir / "state").mkdir()
    init.write("go", "")
    init.wait_state("web", "ready")
