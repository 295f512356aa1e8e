#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""As tini: every exit code with -e and without, signals to the group with -g or its variable, -p."""
import os
import signal
import subprocess

from lib import INIT, Init, called, equal, tool, until

TINI = called("tini")
for code in range(256):
    others = [word for other in range(256) if other != code for word in ("-e", str(other))]
    for options, expected in ((["-e", str(code)], 0), (others, code)):
        result = subprocess.run([TINI, "-s", *options, "--", tool("misbehave"), "exit", str(code)], check=False)
        equal(result.returncode, expected, f"exit code for {code}, options {' '.join(options[:2])} ...")

# the program does not care for USR1, but waits for a child that dies of it
FAMILY = ["ignore", "USR1", "child", "[", "on", "USR1", "[", "exit", 0, "]", "pid", "{dir}/up", "forever", "]",
          "wait", "exit", 4]
for options, env in ((["-g"], {}), ([], {"TINI_KILL_PROCESS_GROUP": ""})):
    with Init(*options, "--", tool("misbehave"), *FAMILY, program=TINI, env=env) as init:
        init.wait_file("up")
        init.signal(signal.SIGUSR1)
        equal(init.wait(), 4, "exit code")

with Init("--", tool("misbehave"), "child", "[", "child", "[", "exec", TINI, "-p", "SIGUSR1", "--", tool("misbehave"),
          "on", "USR1", "[", "append", "{dir}/told", "USR1", "exit", 0, "]", "pid", "{dir}/up", "forever", "]",
          "pid", "{dir}/parent", "forever", "]", "forever", program=INIT) as outer:
    outer.wait_file("up")
    os.kill(outer.outside(int(outer.wait_file("parent"))), signal.SIGKILL)
    until(lambda: outer.read("told") == "USR1\n", "the program is told")
