#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Descriptors from 3 up are passed on, and a LISTEN_PID that names init names the program instead."""
import os
import socket

from lib import Init, check, equal, tool

with socket.socket() as listener, open(os.devnull, "rb") as other:
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    fds = sorted((listener.fileno(), other.fileno()))
    ACTIONS = ["--", tool("misbehave"), "identity", "{dir}/me"]

    with Init(*ACTIONS, fds=fds, env={"LISTEN_PID": "1", "LISTEN_FDS": "1"}) as init:
        equal(init.wait(), 0, "exit code")
        me = init.json("me")
        check(me["fds"][str(listener.fileno())].startswith("socket:"), "the socket is passed on")
        equal(me["fds"][str(other.fileno())], os.devnull, "the file")
        equal(set(map(int, me["fds"])) - {0, 1, 2}, set(fds), "all that is open")
        check(f"LISTEN_PID={me['pid']}" in me["environment"], "LISTEN_PID is the program's pid")
        check(me["pid"] != 1, "the program is not PID 1")
        check("LISTEN_FDS=1" in me["environment"], "LISTEN_FDS is as it was")

    with Init(*ACTIONS, env={"LISTEN_PID": "4711", "LISTEN_FDS": "1"}) as init:
        equal(init.wait(), 0, "exit code")
        check("LISTEN_PID=4711" in init.json("me")["environment"], "somebody else's LISTEN_PID is left alone")
