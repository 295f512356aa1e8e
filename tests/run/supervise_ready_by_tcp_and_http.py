# SPDX-License-Identifier: MIT
"""Services with tcp:// and http:// probes are ready when the sidecar says that they answer well."""
from lib import Init, contains, equal, free_port, tool, until

M = tool("misbehave")
TCP, HTTP, BAD = free_port(), free_port(), free_port()
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:{free_port()}
[service:tcp]
command = {M} pid {{dir}}/tcp await {{dir}}/go tcp {TCP} forever
readiness_probe = tcp://127.0.0.1:{TCP}
[service:http]
command = {M} http {HTTP} {{dir}}/status forever
readiness_probe = http://:{HTTP}/health
readiness_probe_period = 50ms
readiness_probe_failure_threshold = 2
[service:bad]
command = {M} http {BAD} {{dir}}/bad forever
readiness_probe = http://:{BAD}/health
"""

run = Init(config=CONFIG)
run.write("bad", "503 Service Unavailable")
with run as init:
    init.wait_state("http", "ready")
    until(lambda: "503" in (init.services()["bad"]["reason"] or ""), "the reason names the status")
    until(lambda: "refused" in (init.services()["tcp"]["reason"] or ""), "the reason names the refusal")
    init.write("go", "")
    init.wait_state("tcp", "ready")
    equal(init.services()["bad"]["state"], "starting", "what answers 503")
    init.write("bad", "204 No Content")
    init.wait_state("bad", "ready")
    init.wait_line("all ready after")
    # and it is noticed when that ends
    init.write("status", "500 Internal Server Error")
    contains(init.wait_state("http", "unhealthy")["reason"], "500", "reason")
    init.write("status", "200 OK")
    init.wait_state("http", "ready")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
