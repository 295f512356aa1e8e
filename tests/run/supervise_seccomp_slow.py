# SPDX-License-Identifier: MIT
"""A profile of system calls that cannot be compiled in time holds up a reload for two seconds, not for ever, and
changes nothing."""
import json
import os
import pathlib
import signal
import threading
import time

from lib import Init, check, contains, equal, skip, tool, until

M, VERDICTS = tool("misbehave"), tool("verdicts")
with Init("--seccomp", "default", "--", VERDICTS, "0", pid1=False) as init:
    if init.wait() != 0:
        skip("no filters here: " + init.stderr.strip())

RULES = [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
          "args": [{"index": 0, "value": number, "op": "SCMP_CMP_EQ"}]} for number in range(400)]
PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": RULES}
CONFIG = f"""
[service:one]
command = {M} forever
seccomp = {{dir}}/profile.json
"""


def stop_compilers(pid, stopped, over):
    """Freezes each process that init forks of itself."""
    while not over.is_set():
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                if pathlib.Path(f"/proc/{child}/comm").read_text() == "muster-init\n" and child not in stopped:
                    os.kill(int(child), signal.SIGSTOP)
                    stopped.append(child)
            except (FileNotFoundError, ProcessLookupError):
                pass


run = Init(config=CONFIG)
run.write("profile.json", json.dumps(PROFILE))
with run as init:
    init.wait_state("one", "running")
    before = init.services()["one"]["pid"]
    over, stopped = threading.Event(), []
    thread = threading.Thread(target=stop_compilers, args=(init.pid, stopped, over))
    thread.start()
    try:
        for _ in range(50):  # until one was caught before it had ended
            begun = time.monotonic()
            result = init.ctl("reload")
            if result.returncode != 0:
                break
    finally:
        over.set()
        thread.join()
    check(stopped, "no process was seen that compiles")
    equal(result.returncode, 1, "exit code of a reload whose profiles are not compiled")
    contains(result.stderr, "reading the profiles takes too long", "what musterctl says")
    check(time.monotonic() - begun < 9, "init waited as long as at its start")
    equal(init.services()["one"]["pid"], before, "the process of the service")
    until(lambda: init.ctl("reload").stdout == "nothing changed\n", "what musterctl says when it is compiled in time")
