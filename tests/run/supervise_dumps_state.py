# SPDX-License-Identifier: MIT
"""USR1 writes down on stderr what muster-init knows of itself and of each service."""
import signal

from lib import Init, equal, tool

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} forever
[service:slow]
command = {M} forever
readiness_probe = notify
[service:behind]
command = {M} forever
depends_on = slow
[service:bad]
command = {M} exit 3
restart = no
essential = no
"""

with Init(config=CONFIG) as init:
    init.wait_state("bad", "failed")
    init.signal(signal.SIGUSR1)
    pid = init.services()["web"]["pid"]
    init.wait_line("state: phase starting, 4 services, 3 not ready, 1 starting")
    init.wait_line(rf"state: web: running, pid {pid}, starts 1, restarts 0, last exit -1$")
    init.wait_line("state: slow: starting, pid ")
    init.wait_line("state: behind: waiting, pid 0, starts 0, .*: waits for slow")
    init.wait_line("state: bad: failed, pid 0, starts 1, restarts 0, last exit 3: exited with code 3")
    # signals that mean nothing to it do nothing
    for signo in (signal.SIGUSR2, signal.SIGWINCH, signal.SIGPIPE, signal.SIGALRM, signal.SIGRTMIN, signal.SIGTSTP):
        init.signal(signo)
    equal(init.services()["web"]["pid"], pid, "the service")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")
