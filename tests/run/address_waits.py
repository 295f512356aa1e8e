# SPDX-License-Identifier: MIT
"""depends_on = address:NAME holds a service back until the address answers; status, graph, wait and
readyz show what is waited for, and that it went away later stops nobody."""

import json
import os
import re
import urllib.error
import urllib.request

from lib import Init, contains, equal, free_port, tool, until
from sidecarlib import Target

M = tool("misbehave")


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def main():
    port = free_port()
    config = f"""
[sidecar]
listen = 127.0.0.1:0
[address:redis]
port = {port}
testing = 127.0.0.1
check_period = 200ms
[service:app]
command = {M} append {{dir}}/started x forever
depends_on = address:redis
[service:free]
command = {M} forever
"""
    with Init(config=config, env={"MUSTER_MODE": "testing"}) as init:
        until(lambda: "app" in init.services() and init.services()["app"]["state"] == "waiting", "it waits")
        until(lambda: init.services()["free"]["state"] == "running", "the other one does not")
        services = init.services()
        equal(services["address:redis"]["type"], "external", "what stands for the address")
        equal(services["app"]["reason"], "waits for address:redis", "why")
        equal(services["app"]["depends_on"], [{"name": "address:redis", "condition": "healthy", "optional": False, "restart": False}], "on")
        contains(init.ctl("graph").stdout, "address:redis", "graph")
        until(lambda: "connection refused" in (init.services()["address:redis"]["reason"] or ""), "why")
        equal(init.ctl("wait", "--timeout", "200ms", "address:redis").returncode, 4, "wait")
        where = init.wait_line(r"serving (http://\S+)/").group(1)
        status, text = fetch(where + "/readyz")
        equal(status, 503, "readyz")
        contains(text, "address:redis: ", "the cause")
        contains(text, "app: waits for address:redis", "the consequence")
        equal(init.read("started"), "", "nothing was started")
        with Target(port=port):
            equal(init.ctl("wait", "--timeout", "60s", "address:redis", "app").returncode, 0, "wait")
            equal(init.ctl("wait", "--timeout", "60s").returncode, 0, "all of it")
            until(lambda: fetch(where + "/readyz")[0] == 200, "readyz")
            init.wait_file("started")
            answer = json.loads(fetch(where + "/resolve/redis")[1])
            equal((answer["state"], answer["host"], answer["port"]), ("up", "127.0.0.1", port), "resolve")
            equal(fetch(where + "/resolve/nobody")[0], 404, "an unknown address")
            equal([one["name"] for one in json.loads(fetch(where + "/resolve")[1])], ["redis"], "all addresses")
        until(lambda: init.services()["address:redis"]["state"] == "unhealthy", "it is gone", 60)
        equal(init.services()["app"]["state"], "running", "who has it, goes on")
        equal(init.read("started").count("x"), 1, "and is not started again")
        # another sidecar knows nothing, is told all, and finds the same
        pid = init.services()["muster-sidecar"]["pid"] if "muster-sidecar" in init.services() else None
        if pid is None:
            found = re.search(r"muster-sidecar\s+running\s+(\d+)", init.ctl("status").stdout)
            pid = int(found.group(1))

        os.kill(init.outside(pid), 9)
        with Target(port=port):
            until(lambda: init.services()["address:redis"]["state"] == "ready", "it is back", 60)
        init.signal(15)
        equal(init.wait(), 0, "exit code")


main()
