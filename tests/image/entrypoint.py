# SPDX-License-Identifier: MIT
"""As the ENTRYPOINT of an image that holds nothing else it wraps and supervises, and musterctl gives the health."""
import json

from imagelib import STATIC, engines

from lib import contains, equal

FILES = {"bin/muster-init": STATIC / "muster-init", "bin/musterctl": STATIC / "musterctl",
         "bin/misbehave": STATIC / "tools/misbehave"}
CONFIG = b"""
[muster]
name = alone
[service:db]
command = misbehave on TERM [ print db-ends exit 0 ] notify READY=1 forever
readiness_probe = notify
[service:web]
command = misbehave on TERM [ print web-ends exit 0 ] await /go notify READY=1 forever
depends_on = db
readiness_probe = notify
"""


def wraps(engine):
    with engine.image(FILES, "ENV PATH=/bin", 'ENTRYPOINT ["muster-init", "--"]',
                      'CMD ["misbehave", "on", "TERM", "[", "exit", "4", "]", "print", "up", "forever"]') as image:
        with engine.container(image) as container:
            container.wait_line("^up$")
            equal(container.stop(), 4, "exit code behind TERM")
        identity = json.loads(engine.do("run", "--rm", image, "misbehave", "identity", "-"))
        equal((identity["pid"] > 1, identity["ppid"]), (True, 1), "pids")
        equal(identity["cwd"], "/", "working directory")
        equal(engine.run("run", "--rm", image, "no-such-program").returncode, 127, "exit code of nothing")


def supervises(engine):
    with engine.image(FILES | {"etc/muster/muster.ini": CONFIG}, "ENV PATH=/bin",
                      'ENTRYPOINT ["muster-init"]') as image:
        with engine.container(image) as container:
            container.wait_line("db: ready after")
            equal(container.exec("musterctl", "health").returncode, 1, "health while web starts")
            container.exec("misbehave", "append", "/go", "on")
            container.wait_line("all ready after")
            equal(container.exec("musterctl", "health").returncode, 0, "health")
            status = json.loads(container.exec("musterctl", "status", "--json").stdout)
            equal({service["name"]: service["state"] for service in status["services"]},
                  {"db": "ready", "web": "ready"}, "states")
            equal(container.stop(), 0, "exit code")
            contains(container.output, "none had to be killed", "last word")
        # given a program it wraps that, and the services are not started
        result = engine.run("run", "--rm", image, "misbehave", "exit", 5)
        equal((result.returncode, result.stderr), (5, ""), "a program in their place")


for engine in engines():
    wraps(engine)
    supervises(engine)
