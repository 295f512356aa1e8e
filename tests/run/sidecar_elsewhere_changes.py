# SPDX-License-Identifier: MIT
"""A reload hands the probes from a sidecar elsewhere to one that init starts, and back; one elsewhere that falls
silent loses its place."""
from lib import DONE, FAILED, Init, check, equal, free_port, tool, until

SIDECAR = 11  # the request WIRE_SIDECAR
M = tool("misbehave")
PORT = free_port()
CONFIG = f"""
[sidecar]
%s
[service:web]
command = {M} http {PORT} {{dir}}/status pid {{dir}}/pids forever
readiness_probe = tcp://127.0.0.1:{PORT}
readiness_probe_period = 50ms
"""
ELSEWHERE, HERE = CONFIG % "external = yes", CONFIG % f"listen = 127.0.0.1:{free_port()}"


def ended(client):
    """Whether init closes the channel, whatever orders are still in it."""
    client.socket.settimeout(60)
    while client.socket.recv(8192):
        pass


def reload(init, config):
    init.write("muster.ini", init.fill(config))
    result = init.ctl("reload")
    equal(result.returncode, 0, f"reload: {result.stderr}")


with Init(config=ELSEWHERE) as init:
    client = init.control()
    equal(client.ask(SIDECAR)[0], DONE, "answer")
    check(init.services()["web"]["state"] != "ready", "web, of which nothing was said")
    reload(init, HERE)
    ended(client)
    init.wait_state("web", "ready")
    equal(init.services()["muster-sidecar"]["state"], "running", "the sidecar here")
    refused = init.control().ask(SIDECAR)
    equal(refused[1], b"[sidecar] external = yes is not set", "answer when it runs here")
    reload(init, ELSEWHERE)
    check("muster-sidecar" not in init.services(), "the sidecar here is gone")
    with init.control() as silent:
        equal(silent.ask(SIDECAR)[0], DONE, "answer to one that will be silent")
        equal(init.control().ask(SIDECAR)[0], FAILED, "answer to another meanwhile")
        ended(silent)
        init.wait_line("not heard for 35 s: another may take its place")
        equal(init.control().ask(SIDECAR)[0], DONE, "answer to the next")
    equal(init.services()["web"]["state"], "ready", "web, all the while")
    equal(init.read("pids").count("\n"), 1, "starts of web")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    until(lambda: "none had to be killed" in init.stderr, "the last line")
