# SPDX-License-Identifier: MIT
"""health: 0 or 1 and one line, for readiness, liveness and start-up, also of an init that is gone."""
import os
import signal

from lib import Init, contains, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[muster]
drain = 30s
[service:db]
command = {M} await {{dir}}/db append {{dir}}/up x forever
readiness_probe = file:{{dir}}/up
readiness_probe_period = 50ms
[service:extra]
command = {M} await {{dir}}/extra exit 1
restart = no
essential = no
"""


def expect(init, code, part, *words):
    result = init.ctl("health", *words)
    equal(result.returncode, code, f"exit code of health {words}: {result.stdout}")
    equal(result.stdout.count("\n"), 1, f"lines of health {words}")
    contains(result.stdout, part, f"health {words}")


with Init(config=CONFIG) as init:
    init.wait_state("db", "starting")
    expect(init, 1, "not ready: starting")
    expect(init, 1, "db is starting", "--ready")
    expect(init, 1, "starting", "--startup")
    expect(init, 0, "answers", "--live")
    init.write("db", "")
    init.wait_state("db", "ready")
    expect(init, 0, "ready")
    expect(init, 0, "started", "--startup")
    init.write("extra", "")
    init.wait_state("extra", "failed")
    expect(init, 0, "degraded", "--ready")  # not essential
    os.unlink(init.path("up"))
    init.wait_state("db", "unhealthy")
    expect(init, 1, "db is unhealthy", "--ready")
    expect(init, 0, "started", "--startup")  # once true it stays so
    expect(init, 0, "answers", "--live")
    init.write("up", "")
    init.wait_state("db", "ready")

    init.signal(signal.SIGSTOP)
    expect(init, 1, "does not answer", "--live")
    init.signal(signal.SIGCONT)
    expect(init, 0, "answers", "--live")

    equal(init.ctl("shutdown", "--no-wait").returncode, 0, "exit code of shutdown")
    until(lambda: init.ctl("health").returncode == 1, "not ready while draining")
    expect(init, 1, "draining")
    expect(init, 0, "answers", "--live")

    # what a container leaves in a volume that outlives it
    os.kill(init.pid, signal.SIGKILL)
    init.process.wait()
    for words in ([], ["--ready"], ["--live"], ["--startup"]):
        expect(init, 1, "gone", *words)
