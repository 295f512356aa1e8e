#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""As dumb-init: a session of its own, signals rewritten, TERM to the group at the end and no waiting, its own working
directory / before the program can look, and no adoption of orphans."""
import os
import signal

from lib import Init, called, check, equal, proc_parent, proc_state, tool, until

DUMB_INIT = called("dumb-init")
RECORD = ["record", "{dir}/record", "KILL"]


def recorded(init, *signals):
    until(lambda: init.read("record").splitlines()[1:] == [f"{int(signo)} 0" for signo in signals],
          lambda: f"{signals} arrive: {init.read('record').split()}")


# sessions
for options, env, own in (([], {}, True), (["-c"], {}, False), (["--single-child"], {}, False),
                          ([], {"DUMB_INIT_SETSID": "0"}, False), ([], {"DUMB_INIT_SETSID": "1"}, True)):
    with Init(*options, tool("misbehave"), "identity", "{dir}/me", program=DUMB_INIT, env=env, pid1=False) as init:
        equal(init.wait(), 0, "exit code")
        me = init.json("me")
        equal(me["sid"] == me["pid"], own, f"{options} {env}: a session of its own")
        equal(me["pgid"] == me["pid"], own, f"{options} {env}: a group of its own")

# what is sent and what arrives
for rewrites, sent, arrives in (
        (["15:2", "2:15", "3:3"], [15, 3, 18, 2], [2, 3, 18, 15]),
        (["1:31", "31:1"], [1, 31], [31, 1]),
        (["15:3", "2:0", "28:0"], [15, 2, 1, 28, 12], [3, 1, 12])):
    for options in ([], ["-c"]):
        words = [word for rewrite in rewrites for word in ("-r", rewrite)]
        with Init(*options, *words, tool("misbehave"), *RECORD, program=DUMB_INIT) as init:
            init.wait_file("record")
            seen = []
            for signo in sent:
                init.signal(signo)
                if len(seen) < len(arrives) and signo not in (2, 28) or rewrites[0] == "15:2":
                    seen.append(arrives[len(seen)])
                    recorded(init, *seen)
            recorded(init, *arrives)

# a rewritten stop signal stops init all the same
with Init("--rewrite=20:1", "-r", "21:15", tool("misbehave"), *RECORD, program=DUMB_INIT, pid1=False) as init:
    init.wait_file("record")
    arrived = []
    for signo, arrives in ((signal.SIGTSTP, signal.SIGHUP), (signal.SIGTTIN, signal.SIGTERM)):
        init.signal(signo)
        recorded(init, *arrived, arrives)
        until(lambda: proc_state(init.pid) == "T", "init is stopped")
        init.signal(signal.SIGCONT)
        arrived += [arrives, signal.SIGCONT]
        recorded(init, *arrived)

# the end: the group is told, and nobody waited for
LEFT = ["child", "[", *RECORD, "]", "await", "{dir}/record", "exit", 6]
for options, told in (([], [15]), (["-r", "15:10"], [10]), (["-r", "15:0"], []), (["-c"], [])):
    with Init(*options, tool("misbehave"), *LEFT, program=DUMB_INIT, pid1=False) as init:
        equal(init.wait(), 6, "exit code")
        until(lambda: len(init.pids()) == 1, "one is left")
        left = init.pids()[0]
        check(proc_parent(left) != init.pid, "nobody adopts it")
        recorded(init, *told)
        os.kill(left, signal.SIGUSR2)
        recorded(init, *told, signal.SIGUSR2)
        os.kill(left, signal.SIGKILL)
        until(lambda: not init.pids(), "it is gone")
with Init(tool("misbehave"), "child", "[", "on", "TERM", "[", "sleep", "3000", "append", "{dir}/late", "x", "exit", "0", "]",
          "pid", "{dir}/up", "forever", "]", "await", "{dir}/up", "exit", 7, program=DUMB_INIT) as init:
    equal(init.wait(), 7, "exit code")
    equal(init.read("late"), "", "what was written in the 5 s that muster-init would wait")

# the directory: many times, as it is about who comes first
for _ in range(30):
    with Init("sh", "-c", "readlink /proc/$PPID/cwd; pwd", program=DUMB_INIT, cwd="/usr/lib", pid1=False) as init:
        equal(init.wait(), 0, "exit code")
        equal(init.stdout, "/\n/usr/lib\n", "working directories of init and of the program")
with Init("./here", "an argument", program=DUMB_INIT, pid1=False, cwd=os.path.dirname(tool("misbehave"))) as init:
    equal((init.wait(), init.stderr), (2, "[dumb-init] ./here: No such file or directory\n"), "a relative path")
with Init("./misbehave", "exit", 5, program=DUMB_INIT, cwd=os.path.dirname(tool("misbehave"))) as init:
    equal(init.wait(), 5, "exit code of a program with a relative path")
