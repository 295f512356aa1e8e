# SPDX-License-Identifier: MIT
"""With `drain` a shutdown first shows not-ready for that long, with everything up; a failure does not wait for it."""
import signal
import time

from lib import Init, check, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[muster]
drain = DRAIN
[service:web]
command = {M} on TERM [ append {{dir}}/told x exit 0 ] pid {{dir}}/web await {{dir}}/fail exit 8
restart = no
"""

with Init(config=CONFIG.replace("DRAIN", "300ms")) as init:
    init.wait_file("web")
    begin = time.monotonic()
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")
    check(time.monotonic() - begin >= 0.3, "it did not wait")
    equal(init.read("told"), "x\n", "told to stop")

with Init(config=CONFIG.replace("DRAIN", "1h")) as init:
    init.wait_file("web")
    init.wait_line("all ready after")
    equal(init.ctl("health", "--ready").returncode, 0, "exit code of musterctl health --ready")
    init.signal(signal.SIGTERM)
    init.wait_line("stopping: signal TERM")
    until(lambda: init.ctl("health", "--ready").returncode == 1, "not ready, says musterctl health --ready")
    equal(init.ctl("health", "--live").returncode, 0, "exit code of musterctl health --live")
    equal((init.services()["web"]["state"], init.read("told")), ("running", ""), "the service")
    # whoever does not want to wait asks a second time
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code when asked twice")

with Init(config=CONFIG.replace("DRAIN", "1h")) as init:
    init.wait_file("web")
    init.write("fail", "")
    equal(init.wait(), 8, "exit code of a failure")
