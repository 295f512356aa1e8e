# SPDX-License-Identifier: MIT
"""While nobody reads its stdout muster-init goes on: it answers, restarts, counts what it had to drop, and says so later."""
import json
import os
import re
import socket

from lib import Init, check, equal, read_now, tool, until

M = tool("misbehave")
LINES = 100000
CONFIG = f"""
[service:flood]
command = {M} await {{dir}}/go lines {LINES} pid {{dir}}/done forever
[service:other]
command = {M} pid {{dir}}/other await {{dir}}/crash exit 1
restart_backoff = 1ms..1ms
"""


def of_sockets():
    """As some managers give a program: a pair of sockets in place of a pipe."""
    return tuple(end.detach() for end in socket.socketpair())


def goes_on(make):
    reader, writer = make()
    with Init(config=CONFIG, stdout=writer) as init:
        os.close(writer)
        init.wait_file("other")
        init.write("go", "")
        # the service is not held up, although its output goes nowhere
        init.wait_file("done")
        equal(init.ctl("status").returncode, 0, "exit code of musterctl status")
        equal(init.ctl("restart", "other").returncode, 0, "exit code of musterctl restart")
        until(lambda: init.read("other").count("\n") == 2, "it was started again")
        # the last lines are there for musterctl, whoever reads stdout
        until(lambda: init.ctl("logs", "-n", "1", "flood").stdout == f"line {LINES}\n", "musterctl logs")
        dropped = json.loads(init.ctl("status", "--json").stdout)["init"]["log_dropped"]
        check(dropped > 0, "lines dropped are counted")

        # then somebody reads again: what is left in the queue, and a word about the rest
        os.set_blocking(reader, False)
        text = b""

        def read_all():
            nonlocal text
            text += read_now(reader)
            return re.search(rb"warning: (\d+) lines of output dropped", text)

        said = int(until(read_all, "a word about dropped lines")[1])
        lines = re.findall(rb"^flood \| line (\d+)$", text, re.M)
        equal(len(lines) + said, LINES, "lines seen and dropped")
        equal(said, dropped, "as musterctl counts them")
        equal(lines, sorted(lines, key=int), "order of lines")
        equal(lines[0], b"1", "first line")
        init.signal(15)
        equal(init.wait(), 0, "exit code")
    os.close(reader)


goes_on(os.pipe)
goes_on(of_sockets)

# nobody ever reads: the end is not held up either
reader, writer = os.pipe()
with Init(config=CONFIG, stdout=writer) as init:
    os.close(writer)
    init.write("go", "")
    init.wait_file("done")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
