# SPDX-License-Identifier: MIT
"""HUP reads the configuration again and says what changes; many in a row end with the last state of the files."""
import signal

from lib import Init, equal, tool, until

M = tool("misbehave")
KEEP = f"[service:keep]\ncommand = {M} forever\n"

with Init(config=KEEP) as init:
    init.wait_line("all ready after")
    pid = init.services()["keep"]["pid"]
    init.write("muster.ini", KEEP + f"[service:new]\ncommand = {M} pid {init.dir}/new forever\n")
    init.signal(signal.SIGHUP)
    # nobody else talks to it: the signal alone has to bring it up
    init.wait_file("new")
    init.wait_line("reload: added: new")
    for i in range(20):
        init.write("muster.ini", KEEP + f"[service:n{i}]\ncommand = {M} pid {init.dir}/n{i} forever\n")
        init.signal(signal.SIGHUP)
    init.wait_file("n19")
    init.wait_state("n19", "running")
    until(lambda: list(init.services()) == ["keep", "n19"], "the services are those of the last file")
    equal(init.services()["keep"]["pid"], pid, "the process of what stays")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")
