# SPDX-License-Identifier: MIT
"""However many subscribers of other users take all places, whoever may change something still gets in."""
import contextlib
import os

from lib import DONE, EVENTS, PING, Init, equal, need_root, tool

need_root()
M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} forever\n"


@contextlib.contextmanager
def as_somebody_else():
    """Connections made here are those of a user who may only look."""
    os.seteuid(4321)
    try:
        yield
    finally:
        os.seteuid(0)


with Init(config=CONFIG) as init, contextlib.ExitStack() as stack:
    init.wait_line("all ready after")
    own = stack.enter_context(init.events())
    for _ in range(100):
        with as_somebody_else(), contextlib.suppress(OSError):
            control = stack.enter_context(init.control())
            control.ask(EVENTS)
    equal(init.ctl("restart", "web").returncode, 0, "exit code of musterctl while 100 are subscribed")
    # the others keep each other out, not those who came before them and may do more
    own.until("web", "running")
    with init.control() as control:
        equal(control.ask(PING)[0], DONE, "answer")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
