#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""start = on-demand: the first connection or datagram starts the service, and nobody is turned away."""
import contextlib
import socket
import time

from lib import Init, check, contains, equal, free_port, tool, until

LISTENER, M = tool("listener"), tool("misbehave")
PORT, UDP = free_port(), free_port()


def connect():
    client = socket.create_connection(("127.0.0.1", PORT), timeout=20)
    client.sendall(b"x\n")
    return client


def answer(client):
    with client:
        return int(client.makefile().readline())


def is_refused():
    with contextlib.suppress(ConnectionRefusedError):
        connect().close()
        return False
    return True


CONFIG = f"""
[service:base]
command = {M} forever
start = manual
[service:lazy]
command = {LISTENER}
listen = tcp:127.0.0.1:{PORT}, udp:127.0.0.1:{UDP}, unix:{{dir}}/sock
start = on-demand
depends_on = base
readiness_probe = log:listens
[service:user]
command = {M} forever
depends_on = lazy
"""
with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    services = init.services()
    equal((services["lazy"]["state"], services["user"]["state"]), ("inactive", "running"), "states at first")
    equal(services["lazy"]["starts"], 0, "starts")
    equal(services["lazy"]["reason"], f"starts when somebody connects to tcp:127.0.0.1:{PORT} ...", "reason")
    # fifty at once
    waiting = [connect() for _ in range(50)]
    pids = {answer(client) for client in waiting}
    init.wait_state("lazy", "ready")
    services = init.services()
    equal(pids, {services["lazy"]["pid"]}, "who answers fifty")
    equal(services["lazy"]["starts"], 1, "starts")
    equal(services["base"]["state"], "running", "what it depends on")
    # stopped by hand it stays down, and who comes waits
    init.ctl("stop", "lazy")
    init.wait_state("lazy", "inactive")
    waiting = connect()
    equal(init.ctl("start", "lazy").returncode, 0, "exit code of musterctl start")
    init.wait_state("lazy", "ready")
    equal(init.services()["lazy"]["starts"], 2, "starts: not by the connection")
    equal(answer(waiting), init.services()["lazy"]["pid"], "who answers")
    # ended well by itself, it waits for the next
    init.ctl("signal", "lazy", "TERM")
    init.wait_state("lazy", "inactive")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.sendto(b"x", ("127.0.0.1", UDP))
        first = int(client.recv(100))
    init.wait_state("lazy", "ready")
    equal(first, init.services()["lazy"]["pid"], "who answers the datagram that started it")
    init.ctl("signal", "lazy", "TERM")
    init.wait_state("lazy", "inactive")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(init.path("sock"))
        client.sendall(b"x\n")
        check(int(client.makefile().readline()) not in (0, first), "a new process answers at the unix socket")
    # a reload leaves it alone, up or down
    init.wait_state("lazy", "ready")
    before = init.services()["lazy"]["pid"]
    init.write("muster.ini", init.fill(CONFIG) + f"[service:more]\ncommand = {M} forever\n")
    equal(init.ctl("reload").stdout, "added: more\n", "what musterctl says")
    init.wait_state("more", "running")
    equal(init.services()["lazy"]["pid"], before, "pid")
    init.ctl("signal", "lazy", "TERM")
    init.wait_state("lazy", "inactive")
    init.write("muster.ini", init.fill(CONFIG))
    equal(init.ctl("reload").stdout, "removed: more\n", "what musterctl says")
    until(lambda: "more" not in init.services(), "more is gone")
    check(answer(connect()) > 0, "it starts after a reload, too")
    init.signal(15)
    equal(init.wait(), 0, "exit code")

# one that fails: by the rules of restarts, no faster; then who comes is refused
FAILING = f"""
[service:lazy]
command = {M} exit 3
listen = tcp:127.0.0.1:{PORT}
start = on-demand
restart_limit = 3/60s
restart_backoff = 10ms
essential = no
[service:user]
command = {M} forever
"""
with Init(config=FAILING) as init:
    init.wait_line("all ready after")
    with contextlib.suppress(OSError):
        answer(connect())
    init.wait_state("lazy", "failed")
    equal(init.services()["lazy"]["starts"], 4, "starts")
    until(is_refused, "refused")

# one that ends well and takes nobody: started again with the delay of restarts, not at once
IDLER = FAILING.replace("exit 3", "exit 0").replace("10ms", "300ms..300ms")
with Init(config=IDLER) as init:
    init.wait_line("all ready after")
    begin = time.monotonic()
    client = connect()
    until(lambda: init.services()["lazy"]["starts"] >= 4, "it is tried again")
    check(time.monotonic() - begin > 0.85, "three delays of 300 ms lie between four starts")
    check(init.services()["lazy"]["state"] != "failed", "it is no failure")
    client.close()

# what makes no sense
for more, part in (("start = on-demand", "on-demand needs the sockets"),
                   ("idle_stop = 1s", "only a service with start = on-demand"),
                   ("start = on-demand\nlisten = tcp::80\nidle_stop = 1", "at least 100ms")):
    with Init(config=f"[service:a]\ncommand = x\n{more}\n") as init:
        equal(init.wait(), 78, "exit code")
        contains(init.stderr, part, "what it says")
