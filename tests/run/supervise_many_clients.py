# SPDX-License-Identifier: MIT
"""A hundred clients at once, silent or talkative, cost no descriptor for good and keep nobody out."""
import contextlib
import os

from lib import DONE, PING, Init, check, equal, tool, until

M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} forever\n"


with Init(config=CONFIG) as init:
    init.wait_line("all ready after")

    def descriptors():
        return len(os.listdir(f"/proc/{init.pid}/fd"))

    with init.control() as control:
        control.ask(PING)  # answered when init has done with its start
        before = descriptors() - 1
    # silent ones make room for new ones
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(init.control()) for _ in range(100)]
        equal(init.ctl("stop", "web").returncode, 0, "exit code of musterctl while 100 are connected")
        check(descriptors() <= before + 40, f"{descriptors()} descriptors, {before} before")
        last = silent[-1]
        equal(last.ask(PING)[0], DONE, "answer to the last that came")
    # all of them may ask, one after another
    for _ in range(100):
        with init.control() as control:
            equal(control.ask(PING)[0], DONE, "answer")
    # and many of them at once, as long as there is room
    with contextlib.ExitStack() as stack:
        talking = [stack.enter_context(init.control()) for _ in range(24)]
        for control in talking:
            control.send(PING)
        for control in talking:
            equal(control.receive()[0], DONE, "answer")
    until(lambda: descriptors() == before, f"{before} descriptors again")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
