# SPDX-License-Identifier: MIT
"""cpuset: a service runs on these CPUs only; one that is not there is an error of the configuration."""
import os

from lib import Init, contains, equal, run_init, tool

M = tool("misbehave")
OWN = sorted(os.sched_getaffinity(0))
LAST = OWN[-1]


def config(cpus):
    return f"[service:some]\ncommand = {M} forever\ncpuset = {cpus}\n[service:all]\ncommand = {M} forever\n"


with Init(config=config(f"{LAST} , {LAST}-{LAST}")) as init:
    init.wait_line("all ready after")
    pids = {name: init.outside(s["pid"]) for name, s in init.services().items()}
    equal(os.sched_getaffinity(pids["some"]), {LAST}, "CPUs of the one")
    equal(sorted(os.sched_getaffinity(pids["all"])), OWN, "CPUs of the other")

result = run_init(config=config(f"{LAST},1023"))
equal(result.code, 78, "exit code")
contains(result.stderr, f'[service:some] cpuset: "{LAST},1023": muster-init may use only ', "what is said")
