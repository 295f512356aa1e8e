# SPDX-License-Identifier: MIT
"""hosts = yes: what is in force stands in the hosts file, also where that is a mount, and follows; what
others have in it stays; our lines go at the end and after a crash; and they never answer ourselves."""

import contextlib
import json
import pathlib
import signal
import urllib.request

from lib import Init, contains, equal, tool, until
from sidecarlib import Target, in_network_namespace
from sidecarlib.dns import A, Zone

M = tool("misbehave")


def config(port):
    return f"""
[muster]
hosts = yes
[sidecar]
listen = 127.0.0.1:0
[address:cache]
port = {port}
testing = cache, 127.0.0.2
check_period = 200ms
hosts = cache, cache.internal
[address:fixed]
port = 1
testing = 10.1.2.3
[address:named]
port = {port}
testing = named.test
check_period = 200ms
[address:taken]
port = 1
testing = 10.1.2.4
[address:hidden]
port = 1
testing = 10.1.2.5
hosts = no
[service:app]
command = {M} forever
"""


def main():
    in_network_namespace()
    hosts = pathlib.Path("/etc/hosts")
    hosts.write_text("127.0.0.1 localhost\n10.9.9.9 taken # theirs\n")
    zone = Zone()
    zone.records = {("cache", A): ["127.0.0.1"], ("named.test", A): ["127.0.0.3"]}
    zone.ttl = {"cache": 0}
    base = hosts.read_text()
    inode = hosts.stat().st_ino
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(Target(host="127.0.0.2"))
        stack.enter_context(Target(host="127.0.0.3", port=target.port))
        env = {"MUSTER_MODE": "testing"}
        expected = base + "127.0.0.2\tcache\t# muster\n127.0.0.2\tcache.internal\t# muster\n" \
            "10.1.2.3\tfixed\t# muster\n127.0.0.3\tnamed\t# muster\n"
        with Init(config=config(target.port), env=env, pid1=False) as init:
            until(lambda: hosts.read_text() == expected, lambda: hosts.read_text(), 60)
            equal(hosts.stat().st_ino, inode, "it is the same file")
            # our own line for `cache` is not what the name `cache` leads to
            where = init.wait_line(r"serving (http://\S+)/").group(1)

            def places():
                with urllib.request.urlopen(where + "/resolve/cache", timeout=20) as answer:
                    return json.load(answer)["places"]

            until(lambda: places()[0]["resolved"] == ["127.0.0.1"], lambda: places(), 60)
            asked = zone.asked.count(("cache", A))
            until(lambda: zone.asked.count(("cache", A)) > asked, "the DNS is asked again, and not our own line", 60)
            equal([place["state"] for place in places()], ["down", "up"], "states")
            with hosts.open("a") as file:
                file.write("10.9.9.8 later\n")
            # the better place answers: its name leads there by itself, and needs no line
            with Target(host="127.0.0.1", port=target.port):
                until(lambda: "\tcache\t" not in (text := hosts.read_text()) and "127.0.0.1\tcache.internal\t# muster\n" in text,
                      lambda: f"its other name alone: {hosts.read_text()}", 60)
            until(lambda: "127.0.0.2\tcache\t# muster\n" in hosts.read_text(), lambda: hosts.read_text(), 60)
            contains(hosts.read_text(), base + "10.9.9.8 later\n", "what others wrote")
            init.signal(signal.SIGTERM)
            equal(init.wait(), 0, "exit code")
        equal(hosts.read_text(), base + "10.9.9.8 later\n", "at the end")

        # one that was killed leaves its lines; the next one knows them
        with Init(config=config(target.port), env=env, pid1=False) as init:
            until(lambda: "\tcache\t" in hosts.read_text(), lambda: hosts.read_text(), 60)
            init.signal(signal.SIGKILL)
            init.wait()
        contains(hosts.read_text(), "# muster", "after a crash")
        with Init(config=config(target.port).replace("10.1.2.3", "10.1.2.33"), env=env, pid1=False) as init:
            until(lambda: "10.1.2.33\tfixed\t" in (text := hosts.read_text()) and text.count("fixed") == 1,
                  lambda: f"the old line is gone: {hosts.read_text()}", 60)
            init.write("muster.ini", init.fill(config(target.port).replace("hosts = yes", "hosts = no")))
            equal(init.ctl("reload").returncode, 0, "reload")
            until(lambda: hosts.read_text() == base + "10.9.9.8 later\n", lambda: hosts.read_text(), 60)
            init.signal(signal.SIGTERM)
            equal(init.wait(), 0, "exit code")


main()
