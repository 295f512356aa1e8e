#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A service finds its sockets as sd_listen_fds(3) says, whatever they are and whoever it is."""
import os
import socket
import stat

from lib import IS_ROOT, Init, check, equal, free_port, tool, until

LISTENER = tool("listener")
PATH = "{dir}/new/folder/web.sock"


def ports(count):
    found = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)


def ask_stream(connection):
    connection.settimeout(20)
    connection.sendall(b"x\n")
    return int(connection.makefile().readline())


def ask_tcp(host, port):
    with socket.create_connection((host, port), timeout=20) as connection:
        return ask_stream(connection)


def ask_udp(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        client.sendto(b"x", ("127.0.0.1", port))
        return int(client.recv(100))


def ask_unix(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        return ask_stream(client)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


# all kinds, and their names; the readiness descriptor comes behind them
one, two, three = ports(3)
CONFIG = f"""
[service:web]
command = {LISTENER}
listen = tcp::{one}, udp:localhost:{one}
  admin=tcp:127.0.0.1:{two}, unix:{PATH}
umask = 007
environment = WHERE=here
[service:probe]
command = sh -c 'echo >&5; exec {LISTENER}'
listen = tcp:127.0.0.1:{three}
readiness_probe = fd:5
pre_start = sh -c 'test -z "$LISTEN_FDS" && ! readlink /proc/self/fd/3 | grep socket'
"""
with Init(config=CONFIG) as init:
    init.wait_line(r"listens 4 web:web:admin:web", "stdout")
    init.wait_state("probe", "ready")
    pid = init.services()["web"]["pid"]
    for what, answer in (("tcp", ask_tcp("127.0.0.1", one)), ("a named one", ask_tcp("127.0.0.1", two)),
                         ("udp", ask_udp(one)), ("unix", ask_unix(str(init.path("new/folder/web.sock"))))):
        equal(answer, pid, f"the pid that answers by {what}")
    if has_ipv6():
        equal(ask_tcp("::1", one), pid, "the pid that answers by IPv6")
    path = init.path("new/folder/web.sock")
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o660, "mode of the unix socket, with umask 007")
    # the program has its descriptors and no others
    outside = init.outside(pid)
    # what the last client had may not be closed yet
    until(lambda: sorted(map(int, os.listdir(f"/proc/{outside}/fd"))) == [0, 1, 2, 3, 4, 5, 6], "descriptors of web")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    check(not os.path.lexists(path), "the file of the unix socket is gone in the end")

# 64 of them
many = ports(64)
LIST = "".join(f"  tcp:127.0.0.1:{port}\n" for port in many)
with Init(config=f"[service:many]\ncommand = {LISTENER}\nlisten =\n{LIST}readiness_probe = log:listens 64") as init:
    init.wait_state("many", "ready")
    pid = init.services()["many"]["pid"]
    equal({ask_tcp("127.0.0.1", port) for port in many}, {pid}, "who answers on 64 sockets")

# a port below 1024 and a socket's file, for a user who could open neither
if IS_ROOT:
    low = next((port for port in range(700, 900) if socket.socket().connect_ex(("127.0.0.1", port))), 0)
    CONFIG = f"""
[service:low]
command = {LISTENER}
user = 65534
group = 65534
listen = tcp:127.0.0.1:{low}, unix:{{dir}}/low.sock
readiness_probe = log:listens 2
"""
    with Init(config=CONFIG) as init:
        init.wait_state("low", "ready")
        equal(ask_tcp("127.0.0.1", low), init.services()["low"]["pid"], "who answers on the low port")
        st = os.stat(init.path("low.sock"))
        equal((st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)), (65534, 65534, 0o666), "owner and mode")
