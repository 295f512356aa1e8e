# SPDX-License-Identifier: MIT
"""Where the kernel has no filters the default is left out with one warning; one that was asked for is an error, 77."""
import json

from lib import INIT, Init, contains, equal, skip, tool

STATUS = "grep ^Seccomp_filters: /proc/self/status"
# such a kernel, played by a filter around init: seccomp(2) is not there, and prctl(PR_SET_SECCOMP) knows no filters
KERNEL = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["seccomp"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
    {"names": ["prctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [{"index": 0, "value": 22, "op": "SCMP_CMP_EQ"}]}]}
TWO = f"[service:one]\ntype = oneshot\ncommand = {STATUS}\n[service:two]\ntype = oneshot\ncommand = {STATUS}\n"
ASKED = "[service:web]\ncommand = /bin/true\nrestart = no\nseccomp = default\n"


def around(config):
    run = Init(config=config, pid1=False, prefix=[INIT, "--seccomp", "{dir}/kernel.json", "--"])
    run.write("kernel.json", json.dumps(KERNEL))
    return run


with Init("--seccomp", "default", "--", tool("verdicts"), "0", pid1=False) as init:
    if init.wait() != 0:
        skip("no filters here: " + init.stderr.strip())
with around(TWO) as init:
    equal(init.wait(), 0, "exit code")
    equal(init.stderr.count("warning: services run without a filter of system calls: this kernel"), 1, "warnings")
    outer = {line.split()[-1] for line in init.stdout.splitlines()}
    equal(len(outer), 1, "kinds of status")
with around(ASKED) as init:
    equal(init.wait(), 77, "exit code where it was asked for")
    contains(init.stderr, "web: failed: cannot start true: seccomp: Invalid argument", "the error")
with around(ASKED.replace("default", "unconfined")) as init:
    equal(init.wait(), 0, "exit code without")
