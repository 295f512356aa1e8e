# SPDX-License-Identifier: MIT
"""`stop` ends services in reverse order within the grace and kills none that obeys; HUP, a kill -9 of a service, a
restart of the container and one that does not obey go as they should."""
import os
import pathlib
import signal

from imagelib import BASE, INIT, TOOL, engines

from lib import contains, equal, matches, until

WEB = f"{TOOL} on TERM [ print ends exit 0 ] forever"
CONFIG = f"""
[service:db]
command = {TOOL} on TERM [ print ends exit 0 ] notify READY=1 forever
readiness_probe = notify
[service:api]
command = {TOOL} on TERM [ print ends exit 0 ] notify READY=1 forever
readiness_probe = notify
depends_on = db
[service:web]
command = {WEB}
depends_on = api
restart_backoff = 1ms..1ms
"""
DEAF = f"""
[muster]
stop_timeout = 1s
[service:deaf]
command = {TOOL} ignore TERM forever
[service:fine]
command = {TOOL} on TERM [ exit 0 ] forever
"""


def lives(engine):
    with engine.container(BASE, INIT, config=CONFIG) as container:
        container.wait_line("all ready after")
        web = container.process(WEB)
        os.kill(web, signal.SIGKILL)
        until(lambda: container.process(WEB) != web, "web is back")
        path = pathlib.Path(container.folder.name) / "muster.ini"
        path.write_text(path.read_text().replace("TERM [ print ends", "TERM [ print finishes"))
        container.kill("HUP")
        container.wait_line("reload: ")
        until(lambda: len([1 for _, line in container.processes() if "finishes" in line]) == 3, "all are new")
        equal(container.ctl("wait", "--timeout", "20s").returncode, 0, "all are ready again")
        container.kill("USR1")
        container.wait_line("^.*web.*running")
        for _ in range(2):
            # the root stays: what the last run left in /run does no harm
            behind = len(container.output)
            equal(container.stop(), 0, "exit code")
            said = container.output[behind:]
            contains(said, "none had to be killed", "last word")
            order = [line.split()[0].rstrip(":|") for line in said.splitlines() if line.endswith("finishes")]
            equal([name.strip("[]") for name in order], ["web", "api", "db"], "order")
            engine.do("start", container.name)
            until(lambda: container.ctl("wait", "--timeout", "1s").returncode == 0, "all are ready after a restart")
        container.kill("KILL")
        equal(container.wait(), 137, "exit code of PID 1 killed from outside")
        engine.do("start", container.name)
        until(lambda: container.ctl("wait", "--timeout", "1s").returncode == 0, "all are ready after a kill")


def does_not_obey(engine):
    with engine.container(BASE, INIT, config=DEAF) as container:
        container.wait_line("all ready after")
        equal(container.stop(), 0, "exit code")
        matches(container.output, "1 had to be killed.*deaf", "last word")


for engine in engines():
    lives(engine)
    does_not_obey(engine)
