# SPDX-License-Identifier: MIT
"""A subscriber that never reads holds nothing up; when it reads again it is told how much it has missed."""
import struct

from lib import DONE, EVENT, LINE, LOGS, LOST, PING, START, STOP, Init, check, equal, tool, until

M = tool("misbehave")
# more events than init keeps, more lines than it keeps
CONFIG = f"""
[service:flood]
command = {M} await {{dir}}/go lines 30000 pid {{dir}}/done forever
""" + "".join(f"""
[service:busy{i}]
command = {M} exit 1
restart_backoff = 1ms..1ms
restart_limit = unlimited
start = manual
""" for i in range(4))
BUSY = [f"busy{i}" for i in range(4)]

with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    with init.control() as lines, init.events() as deaf:
        lines.send(LOGS, struct.pack("=III", 0, 1, 0))
        init.write("go", "")
        init.wait_file("done")
        with init.control() as control:
            for name in BUSY:
                equal(control.ask_service(START, name)[0], DONE, "answer to start")
            # three events each time
            until(lambda: sum(service["starts"] for service in init.services().values()) > 700, "thousands of events", 90)
            equal(control.ask(PING)[0], DONE, "answer to another")
            for name in BUSY:
                equal(control.ask_service(STOP, name)[0], DONE, "answer to stop")

        def read(control, wanted):
            """What comes until a loss has been told, and the number lost."""
            got = 0
            while True:
                kind, body = control.receive()
                if kind == LOST:
                    return got, struct.unpack("=Q", body)[0]
                equal(kind, wanted, "type of packet")
                got += 1

        got, lost = read(deaf, EVENT)
        check(got > 0 and lost > 0, f"{got} events, {lost} lost")
        got, lost = read(lines, LINE)
        check(got > 0 and lost > 0, f"{got} lines, {lost} lost")
        # and then it goes on
        deaf.until("busy3", "inactive")
    # one that asks and asks and never takes an answer is dropped
    with init.control() as rude:
        rude.socket.setblocking(False)
        try:
            for _ in range(100000):
                rude.send(PING)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass
        with init.control() as control:
            equal(control.ask(PING)[0], DONE, "answer to another")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
