# SPDX-License-Identifier: MIT
"""While muster-init stops nothing is started any more, whoever asks; it goes on to answer."""
import struct

from lib import DONE, EVENTS, FAILED, PING, RESTART, START, STOP, Init, equal, tool

M = tool("misbehave")
PREVIEW = 10
CONFIG = f"""
[service:stubborn]
command = {M} on TERM [ pid {{dir}}/told ] pid {{dir}}/stubborn await {{dir}}/go exit 0
stop_grace_period = 60s
[service:web]
command = {M} pid {{dir}}/web forever
depends_on = stubborn
[service:manual]
command = {M} pid {{dir}}/manual forever
start = manual
"""

with Init(config=CONFIG) as init:
    init.wait_file("stubborn")
    init.wait_file("web")
    with init.control() as control:
        # a question about the next reload has a size
        for body in (b"", b"123", bytes(5)):
            equal(control.ask(PREVIEW, body), (FAILED, b"malformed request"), f"answer to {body!r}")
        equal(control.ask(PREVIEW, struct.pack("=I", 0))[0], DONE, "answer to a good one")
        init.signal(15)
        init.wait_file("told")
        for kind in (START, RESTART):
            for name in ("web", "manual", "stubborn"):
                code, text = control.ask_service(kind, name)
                equal((code, text), (FAILED, b"muster-init is stopping"), f"answer to type {kind} for {name}")
        equal(control.ask_service(STOP, "web")[0], DONE, "answer to a stop")
        equal(control.ask(PING), (DONE, b"stopping"), "answer to a question")
        with init.control() as other:
            equal(other.ask(EVENTS)[0], DONE, "answer to a subscription")
            init.write("go", "")
            equal(other.until("stubborn", "completed", "inactive")["last_exit"], 0, "the end is told")
    equal(init.wait(), 0, "exit code")
    equal(init.read("web").count("\n"), 1, "starts of web")
    equal(init.read("manual"), "", "starts of manual")
