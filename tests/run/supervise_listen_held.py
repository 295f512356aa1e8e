#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Init keeps a socket while its service is away, comes back, or is another; and closes it when nobody is to answer."""
import os
import socket

from lib import Init, check, equal, free_port, tool, until

LISTENER = tool("listener")
PORT, OTHER = free_port(), free_port()
CONFIG = f"""
[service:web]
command = {LISTENER}
listen = tcp:127.0.0.1:{PORT}
essential = no
[service:rest]
command = {tool('misbehave')} forever
"""


def connect(port=PORT):
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(b"x\n")
    return client


def answer(client):
    with client:
        return int(client.makefile().readline())


def is_refused(port=PORT):
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return True
    except ConnectionError:  # closed at this moment
        pass
    return False


with Init(config=CONFIG) as init:
    init.wait_state("web", "running")
    first = init.services()["web"]["pid"]
    equal(answer(connect()), first, "who answers")
    # stopped by hand: clients wait until it is back
    init.ctl("stop", "web")
    init.wait_state("web", "inactive")
    waiting = [connect() for _ in range(20)]
    init.ctl("start", "web")
    init.wait_state("web", "running")
    second = init.services()["web"]["pid"]
    equal({answer(client) for client in waiting}, {second}, "who answers those that waited")
    # it crashes: so do they
    init.ctl("signal", "web", "SIGSTOP")
    waiting = [connect() for _ in range(20)]
    init.ctl("signal", "web", "SIGKILL")
    until(lambda: init.services()["web"]["pid"] not in (0, None, second), "web runs again")
    equal({answer(client) for client in waiting}, {init.services()["web"]["pid"]}, "who answers those that waited")
    # a reload gives the socket to another service, and opens another one
    init.ctl("stop", "web")
    init.wait_state("web", "inactive")
    waiting = connect()
    init.write("muster.ini", CONFIG.replace("[service:web]", "[service:new]").replace(
        f":{PORT}\n", f":{PORT}, tcp:127.0.0.1:{OTHER}\n"))
    equal(init.ctl("reload").returncode, 0, "exit code of musterctl reload")
    init.wait_state("new", "running")
    third = init.services()["new"]["pid"]
    equal(answer(waiting), third, "who answers the one that waited")
    equal(answer(connect(OTHER)), third, "who answers at the new address")
    # what is not asked for any more is closed; the other stays, over a service that is the same
    init.write("muster.ini", CONFIG)
    equal(init.ctl("reload").returncode, 0, "exit code of musterctl reload")
    init.wait_state("web", "running")
    until(lambda: is_refused(OTHER), "the address that was taken out is closed")
    equal(answer(connect()), init.services()["web"]["pid"], "who answers")

# one that has failed for good answers nobody: clients are told so at once, until it is started again
FAILING = f"""
[service:web]
command = sh -c 'test -e {{dir}}/good && exec {LISTENER}; exit 4'
listen = tcp:127.0.0.1:{PORT}, unix:{{dir}}/sock
restart = no
essential = no
[service:rest]
command = {tool('misbehave')} forever
"""
with Init(config=FAILING) as init:
    init.wait_state("web", "failed")
    until(is_refused, "a service that failed for good refuses")
    until(lambda: not os.path.lexists(init.path("sock")), "and its unix socket is gone")
    init.write("good", "")
    equal(init.ctl("start", "web").returncode, 0, "exit code of musterctl start")
    init.wait_state("web", "running")
    equal(answer(connect()), init.services()["web"]["pid"], "who answers")
    check(os.path.lexists(init.path("sock")), "the unix socket is back")
    # in the shutdown, too
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    until(is_refused, "closed")
