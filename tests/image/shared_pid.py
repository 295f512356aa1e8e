# SPDX-License-Identifier: MIT
"""In the PID namespace of another container it is not PID 1: it adopts what is its own, and spares the others."""
from imagelib import BASE, INIT, TOOL, engines

from lib import contains, equal, proc_parent, until

CONFIG = f"""
[service:db]
command = {TOOL} on TERM [ exit 0 ] orphan [ setsid ignore TERM print orphan-of-db forever ] notify READY=1 forever
readiness_probe = notify
stop_grace_period = 200ms
"""


def beside(engine, host, *words, config=None, mark):
    """A second container that shares the processes of the first; what was there stays."""
    before = host.processes()
    with engine.container("--pid", f"container:{host.name}", BASE, INIT, *words, config=config) as guest:
        guest.wait_line(mark)
        equal(guest.namespace, host.namespace, "PID namespace")
        equal([proc_parent(pid) for pid, line in host.processes() if line.startswith(TOOL) and "orphan-of" in line],
              [guest.pid] * 2, "parents of the program and of its orphan")
        code = guest.stop()
        output = guest.output
    until(lambda: host.processes() == before, lambda: f"{before} are left alone, not {host.processes()}")
    until(lambda: not host.zombies(), "nothing is left to reap")
    return code, output


for engine in engines():
    with engine.container(BASE, INIT, "--", TOOL, "on", "TERM", "[", "exit", 0, "]", "print", "up",
                          "forever") as host:
        host.wait_line("^up$")
        code, _ = beside(engine, host, "--grace", "200ms", "--", TOOL, "orphan",
                         "[", "setsid", "ignore", "TERM", "print", "orphan-of-wrapped", "forever", "]",
                         "on", "TERM", "[", "exit", 6, "]", "forever", mark="orphan-of-wrapped")
        equal(code, 6, "exit code, wrapped")
        code, output = beside(engine, host, config=CONFIG, mark="all ready after")
        equal(code, 0, "exit code, supervised")
        contains(output, "had to be killed", "last word")
        equal(host.stop(), 0, "exit code of the first container")
