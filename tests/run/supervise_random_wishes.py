# SPDX-License-Identifier: MIT
"""Whatever is wished in whatever order, every wish is answered, all comes up when asked to, and nothing leaks."""
import os
import random
import signal

from lib import DONE, FAILED, PING, RELOAD, RESTART, SIGNAL, START, STOP, Init, contains, equal, tool, until

M = tool("misbehave")
NAMES = [f"s{i}" for i in range(10)]


def config(variant):
    """The same services, some of them a little different or not there, in another order."""
    dice = random.Random(variant)
    sections = []
    for i, name in enumerate(NAMES):
        if variant and dice.random() < 0.15:
            continue
        needs = [n for n in NAMES[:i] if dice.random() < 0.2 and any(f"[service:{n}]" in s for s in sections)]
        sections.append(f"""
[service:{name}]
command = {M} on TERM [ sleep {dice.randrange(3)} exit 0 ] orphan [ setsid forever ] notify READY=1 forever
readiness_probe = notify
liveness_probe = exec:true
liveness_probe_period = {dice.choice((2, 3))}ms
stop_grace_period = 8s
restart_backoff = 1ms..2ms
restart_limit = unlimited
{dice.choice(('', f'pre_start = {M} sleep 1', f'post_stop = {M} sleep 1'))}
depends_on = {', '.join(needs)}
""")
    # what comes first in the file is not what starts first
    head, *rest = sections
    dice.shuffle(rest)
    return "".join([head] + rest)


for seed in range(3):
    dice = random.Random(seed)
    with Init(config=config(0)) as init, init.control() as control:
        init.wait_line("all ready after")

        def descriptors():
            return len(os.listdir(f"/proc/{init.pid}/fd"))

        control.ask(PING)  # answered when init has done with its start
        before = descriptors()
        for _ in range(150):
            kind = dice.choice([START, STOP, RESTART, RESTART, SIGNAL, RELOAD])
            if kind == RELOAD:
                init.write("muster.ini", config(dice.randrange(6)))
                answer = control.ask(RELOAD)
                equal(answer[0], DONE, f"answer to a reload: {answer[1]}")
            else:
                answer = control.ask_service(kind, dice.choice(NAMES), signal.SIGKILL)
                contains((DONE, FAILED, 66), answer[0], "answer")
        # all that there was is there again, and up
        init.write("muster.ini", config(0))
        equal(control.ask(RELOAD)[0], DONE, "answer to the last reload")
        until(lambda: sorted(init.services()) == NAMES, "the plan of the beginning")
        equal(init.ctl("start", *NAMES).returncode, 0, "exit code of musterctl start")
        until(lambda: {s["state"] for s in init.services().values()} == {"ready"}, "all are ready")
        until(lambda: descriptors() == before, lambda: f"{before} descriptors, now {descriptors()}")
        init.no_zombies()
        init.signal(15)
        equal(init.wait(), 0, "exit code")
        contains(init.stderr, "none had to be killed", "last line")
