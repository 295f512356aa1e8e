# SPDX-License-Identifier: MIT
"""A service with readiness_probe = exec:COMMAND is ready when the command exits 0; one that hangs is killed."""
from lib import Init, contains, equal, read_proc, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} forever
environment = A=of the service
umask = 027
readiness_probe = exec:{M} identity {{dir}}/probe await {{dir}}/go
readiness_probe_timeout = 5s
[service:fails]
command = {M} forever
readiness_probe = exec:{M} print noise error noise exit 4
[service:hangs]
command = {M} forever
readiness_probe = exec:{M} child [ pid {{dir}}/hung forever ] forever
readiness_probe_timeout = 200ms
readiness_probe_period = 20ms
[service:missing]
command = {M} forever
readiness_probe = exec:/does/not/exist
"""

with Init(config=CONFIG) as init:
    probe = init.json("probe")
    contains(probe["environment"], "A=of the service", "environment of the probe")
    equal(probe["umask"], 0o27, "umask of the probe")
    equal([probe["fds"][fd] for fd in "012"], ["/dev/null"] * 3, "its descriptors")
    equal(sorted(probe["fds"]), ["0", "1", "2"], "descriptors")

    def reason(name, part):
        until(lambda: part in (init.services()[name]["reason"] or ""), f"{name}: {part}")

    reason("fails", "not ready yet: exit code 4")
    reason("hangs", "not ready yet: timed out")
    reason("missing", "not ready yet: cannot start the probe command")
    equal({s["state"] for s in init.services().values()}, {"starting"}, "states")
    init.write("go", "")
    init.wait_state("web", "ready")
    # a probe takes its children with it: at most those of the check in flight are alive
    until(lambda: init.read("hung").count("\n") > 2, "several checks")

    def hung():
        return [pid for pid in init.pids() if b"hung" in read_proc(pid, "cmdline")]

    until(lambda: len(hung()) <= 3, lambda: f"processes of a probe that hangs: {hung()}")
    equal("noise" in init.stdout + init.stderr, False, "output of probes in the log")
    equal(init.services()["web"]["last_exit"], None, "exit code of a service that never ended")
    equal(init.services()["missing"]["last_exit"], None, "exit code of a service that never ended")
