# SPDX-License-Identifier: MIT
"""`restart` says after which ends a service is started again."""
from lib import Init, equal, tool, until

M = tool("misbehave")


def service(policy, end):
    name = f"{policy}-{end}"
    return f"""
[service:{name}]
command = {M} pid {{dir}}/{name} await {{dir}}/go {'die KILL' if end == 'signal' else f'exit {end}'}
restart = {policy}
restart_backoff = 1ms..1ms
restart_limit = 2/60s
essential = no
"""


# how often each is started, with two restarts allowed, and where it ends: past the limit it has failed, whatever its code
EXPECTED = {
    "no": {"0": (1, "completed"), "3": (1, "failed"), "signal": (1, "failed")},
    "on-failure": {"0": (1, "completed"), "3": (3, "failed"), "signal": (3, "failed")},
    "always": {"0": (3, "failed"), "3": (3, "failed"), "signal": (3, "failed")},
    "unless-stopped": {"0": (3, "failed"), "3": (3, "failed"), "signal": (3, "failed")},
}
CONFIG = "".join(service(policy, end) for policy, ends in EXPECTED.items() for end in ends)
# what keeps the container up when all have ended
CONFIG += f"[service:keep]\ncommand = {M} forever\n"

with Init(config=CONFIG) as init:
    init.wait_state("keep", "running")
    init.write("go", "")
    names = [f"{policy}-{end}" for policy, ends in EXPECTED.items() for end in ends]
    until(lambda: {init.services()[name]["state"] for name in names} <= {"completed", "failed"}, "all have ended")
    services = init.services()
    for policy, ends in EXPECTED.items():
        for end, (starts, state) in ends.items():
            name = f"{policy}-{end}"
            equal(services[name]["state"], state, name)
            equal(init.read(name).count("\n"), starts, f"starts of {name}")
            equal((services[name]["starts"], services[name]["restarts"]), (starts, starts - 1), name)
            equal(services[name]["last_exit"], 137 if end == "signal" else int(end), f"exit code of {name}")
