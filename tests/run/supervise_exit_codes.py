# SPDX-License-Identifier: MIT
"""When an essential service fails for good, muster-init exits with its code: that of the program, 128 + n, 127, 126, 70."""
from lib import Init, equal, tool

M = tool("misbehave")


def code_of(command, *keys):
    config = f"[service:web]\ncommand = {command}\nrestart = no\n" + "".join(f"{key}\n" for key in keys)
    config += f"[service:other]\ncommand = {M} forever\n"
    run = Init(config=config)
    run.write("plain", "#!/bin/sh\n", mode=0o644)
    run.write("bad", "\x7fELF and nothing behind", mode=0o755)
    run.write("interpreter", "#!/no/such/interpreter\n", mode=0o755)
    with run as init:
        code = init.wait()
        init.wait_line(rf"ended: essential service web failed; exit code {code}; \d+ orphans reaped; none had to be killed")
        return code


for code in (1, 2, 78, 255):
    equal(code_of(f"{M} exit {code}"), code, f"exit code for exit {code}")
for signal, code in (("KILL", 137), ("TERM", 143), ("SEGV", 139), ("RTMIN+1", 163)):
    equal(code_of(f"{M} die {signal}"), code, f"exit code for {signal}")
equal(code_of("/no/such/program"), 127, "exit code of what is not there")
equal(code_of("no-such-program"), 127, "exit code of what is not in PATH")
equal(code_of("{dir}/interpreter"), 127, "exit code without interpreter")
equal(code_of("{dir}/plain"), 126, "exit code of what is not executable")
equal(code_of("{dir}/bad"), 126, "exit code of what is no program")
equal(code_of("{dir}"), 126, "exit code of a directory")
# ended by itself before it was ready, although with 0: it failed
equal(code_of(f"{M} exit 0", "readiness_probe = notify"), 1, "exit code of a service that gave up")
equal(code_of(f"{M} forever", "working_dir = /no/such/directory"), 70, "exit code without directory")
