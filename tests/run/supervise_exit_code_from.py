# SPDX-License-Identifier: MIT
"""With exit_code_from the end of that service is the end of all, and its code is that of muster-init."""
from lib import Init, equal, tool

M = tool("misbehave")


def config(end, restart="no"):
    return f"""
[muster]
exit_code_from = job
[service:db]
command = {M} on TERM [ exit 9 ] notify READY=1 forever
readiness_probe = notify
[service:job]
command = {M} await {{dir}}/go {end}
depends_on = db
essential = no
restart = {restart}
"""


for end, code in (("exit 0", 0), ("exit 42", 42), ("die KILL", 137)):
    with Init(config=config(end)) as init:
        init.wait_state("job", "running")
        init.write("go", "")
        equal(init.wait(), code, f"exit code for {end}")
        init.wait_line(f"ended: job, whose exit code counts, ended; exit code {code}")

# asked to stop: what the service made of it
with Init(config=config("exit 0").replace("await", "on TERM [ exit 17 ] pid {dir}/up await")) as init:
    init.wait_file("up")
    init.signal(15)
    equal(init.wait(), 17, "exit code after TERM")

# it is the last word that counts, not the first
with Init(config=config("exit 5", "on-failure") + "restart_limit = 2/60s\nrestart_backoff = 1ms..1ms\n") as init:
    init.write("go", "")
    equal(init.wait(), 5, "exit code")
    equal(init.stderr.count("starting again"), 2, "restarts")

# a PROGRAM on the command line is such a service, and starts when all else is ready
with Init(M, "append", "{dir}/order", "main", "exit", "23", config=f"""
[service:db]
command = {M} sleep 30 append {{dir}}/order db notify READY=1 forever
readiness_probe = notify
""") as init:
    equal(init.wait(), 23, "exit code")
    equal(init.read("order").split(), ["db", "main"], "order")
