# SPDX-License-Identifier: MIT
"""Past start_timeout what is not ready is named; an essential service among it ends the container, others do not."""
from lib import Init, check, equal, tool

M = tool("misbehave")
CONFIG = f"""
[muster]
start_timeout = 2s
[service:slow]
command = {M} await {{dir}}/go notify READY=1 forever
readiness_probe = notify
essential = ESSENTIAL
[service:behind]
command = {M} forever
depends_on = slow
essential = no
[service:good]
command = {M} forever
"""

with Init(config=CONFIG.replace("ESSENTIAL", "yes")) as init:
    equal(init.wait(), 1, "exit code")
    init.wait_line(r"error: slow: not ready within start_timeout \(starting\)")
    init.wait_line(r"error: behind: not ready within start_timeout \(waiting\)")
    init.wait_line("ended: start_timeout passed before all essential services were ready; exit code 1")
    check("good: not ready" not in init.stderr, "what was ready is not named")

with Init(config=CONFIG.replace("ESSENTIAL", "no")) as init:
    init.wait_line("error: slow: not ready within start_timeout")
    init.wait_line("start-up is over after .*; 2 of 3 services are not ready")
    equal({n: s["state"] for n, s in init.services().items()},
          {"slow": "starting", "behind": "waiting", "good": "running"}, "states")
    # it may still come
    init.write("go", "")
    init.wait_state("behind", "running")
    equal(init.ctl("health").returncode, 0, "exit code of musterctl health")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
