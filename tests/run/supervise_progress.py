# SPDX-License-Identifier: MIT
"""On a terminal the start-up is shown live in one line, which makes way for every other; not with TERM=dumb, nor in a pipe."""
from lib import Init, Terminal, check, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} await {{dir}}/go notify READY=1 forever
readiness_probe = notify
[service:json]
command = {M} await {{dir}}/one print one await {{dir}}/two print two forever
log = json
[service:plain]
command = {M} await {{dir}}/three print three forever
"""
LINE = r"\[2/3 ready\] starting: web"
ERASE = r"\r\x1b\[K"

terminal = Terminal()
with Init(config=CONFIG, stdout=terminal.slave, stderr=terminal.slave, env={"TERM": "xterm"}) as init:
    terminal.expect(LINE)
    init.write("one", "")
    terminal.expect(ERASE + r'\{"time":.*"service":"json",.*"message":"one"\}\r\n')
    # it comes back with the next change of a state
    init.ctl("restart", "--no-wait", "plain")
    terminal.expect(LINE)
    init.write("three", "")
    terminal.expect(ERASE + r"plain \| three\r\n")
    init.write("two", "")
    terminal.expect(r'(?<!web)\{"time":.*"message":"two"\}\r\n')
    init.write("go", "")
    terminal.expect(r"muster-init: all ready after")
    init.signal(15)
    init.wait()
    terminal.read()
    check("starting: " not in terminal.text[terminal.seen:], "progress after the start-up")
terminal.close()

for env in ({"TERM": "dumb"}, {}):
    terminal = Terminal() if env else None
    streams = {"stdout": terminal.slave, "stderr": terminal.slave} if terminal else {}
    with Init(config=CONFIG, env=env, **streams) as init:
        init.write("go", "")
        until(lambda: "all ready after" in (terminal.read() if terminal else init.stderr), "all are ready")
        check("starting" not in (terminal.text if terminal else init.stderr), f"progress with {env}")
    if terminal:
        terminal.close()
