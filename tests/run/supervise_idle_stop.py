#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""idle_stop: a service that nobody uses is stopped and comes back for the next; one that is used is not."""
import contextlib
import socket
import time

from lib import Init, check, equal, free_port, need, tool, until

LISTENER, M = tool("listener"), tool("misbehave")
PORT, UDP = free_port(), free_port()
IDLE = 0.6
CONFIG = f"""
[service:lazy]
command = {LISTENER}
listen = tcp::{PORT}, udp:127.0.0.1:{UDP}, unix:{{dir}}/sock
start = on-demand
idle_stop = {int(IDLE * 1000)}ms
[service:rest]
command = {M} forever
"""


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def tcp():
    return socket.create_connection(("127.0.0.1", PORT), timeout=20)


def tcp6():
    return socket.create_connection(("::1", PORT), timeout=20)


def local():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(init.path("sock"))
    return client


def ask(client):
    with client:
        client.sendall(b"x\n")
        return int(client.makefile().readline())


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.sendto(b"x", ("127.0.0.1", UDP))
        return int(client.recv(100))


def starts():
    return init.services()["lazy"]["starts"]


def come_often(come):
    """Clients that are never there when somebody looks keep the service up."""
    last = time.monotonic()
    first = come()
    begin = time.monotonic()
    while time.monotonic() - begin < 4 * IDLE:
        time.sleep(IDLE / 20)
        now = time.monotonic()
        pid = come()
        late = time.monotonic() - last > IDLE / 2  # this machine was away: no verdict
        check(pid == first or late, "the same process answers clients that come often")
        first, last = pid, now
    init.wait_state("lazy", "inactive")


with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    # nobody: it rests, and comes back for each kind of client
    for come in (lambda: ask(tcp()), lambda: ask(tcp6()), datagram, lambda: ask(local()))[::1 if has_ipv6() else 2]:
        check(come() > 0, "it answers")
        init.wait_state("lazy", "inactive")
    init.wait_line("lazy: no connection for 600ms: stopping it until the next")
    # a connection that is open and silent keeps it up, of whatever kind
    for connect in (tcp, tcp6, local) if has_ipv6() else (tcp, local):
        with connect() as client:
            init.wait_state("lazy", "running")
            before = starts()
            begin = time.monotonic()
            until(lambda: time.monotonic() - begin > 4 * IDLE, "time passes")
            equal((init.services()["lazy"]["state"], starts()), ("running", before), "state with a silent client")
            client.sendall(b"x\n")
            check(int(client.makefile().readline()) > 0, "it answers in the end")
        init.wait_state("lazy", "inactive")
    # short ones, never open when somebody looks, keep it up as well
    for come in (lambda: ask(tcp()), datagram, lambda: ask(local())):
        come_often(come)
    # a reload in between: it is still measured
    pid = ask(tcp())
    init.write("muster.ini", init.fill(CONFIG) + f"[service:more]\ncommand = {M} forever\n")
    equal(init.ctl("reload").stdout, "added: more\n", "what musterctl says")
    init.wait_state("lazy", "inactive")
    # coming and going around the moment it stops: none is lost
    ended = time.monotonic() + 6
    while time.monotonic() < ended:
        check(ask(tcp()) > 0, "it answers")
        time.sleep(IDLE + (time.monotonic() * 7 % 1) * IDLE / 2)
    check(starts() > 5, "it was stopped in between")
    init.wait_state("lazy", "inactive")
    with contextlib.suppress(KeyError):
        equal(init.services()["lazy"]["restarts"], 0, "restarts")

# where the kernel has no room to queue a signal, it says less, and that is enough
with Init(config=CONFIG, prefix=[need("prlimit"), "--sigpending=0:0"]) as init:
    init.wait_line("all ready after")
    come_often(lambda: ask(tcp()))

# replicas share the socket: they are in use together
with Init(config=CONFIG.replace("[service:rest]", "replicas = 2\n[service:rest]")) as init:
    init.wait_line("all ready after")
    with tcp() as client:
        for name in ("lazy.0", "lazy.1"):
            init.wait_state(name, "running")
        check(ask(tcp()) > 0, "the other one answers")
        begin = time.monotonic()
        until(lambda: time.monotonic() - begin > 3 * IDLE, "time passes")
        equal({init.services()[name]["starts"] for name in ("lazy.0", "lazy.1")}, {1}, "starts")
        client.sendall(b"x\n")
        check(int(client.makefile().readline()) > 0, "it answers in the end")
    for name in ("lazy.0", "lazy.1"):
        init.wait_state(name, "inactive")
