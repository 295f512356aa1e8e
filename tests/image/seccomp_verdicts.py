# SPDX-License-Identifier: MIT
"""An engine and muster-init make the same of a seccomp profile: what a container says to each system call under the
engine's filter, it says under ours in a container without one. MUSTER_TEST_PROFILE=FILE adds a profile, such as
Docker's own default.json; for that one `--seccomp default` is compared, too."""
import json
import os
import pathlib
import tempfile

from imagelib import BASE, INIT, STATIC, engines

from lib import check, equal

PROGRAM = "/m/tools/verdicts"
# what a call newer than these gets is up to the libseccomp that the engine was built with
CALLS = ["0-334", "337-456", "41:1", "41:2", "41:16", "41:38", "41:39", "41:40", "56:0x1200011", "56:0x2000000", "56:0x10000000",
         "135:0", "135:8", "135:0x20000", "135:5", "135:0xffffffff"]


def ask(engine, *words):
    """{call: verdict} that the program prints in a container."""
    result = engine.run("run", "--rm", "--volume", f"{STATIC}:/m:ro", *words, PROGRAM, *CALLS)
    equal((result.returncode, result.stderr), (0, ""), f"{words}")
    return dict(line.split(" ", 1) for line in result.stdout.splitlines())


def compare(engine, profile, name, ours):
    where = ("--volume", f"{profile}:/profile.json:ro", "--security-opt")
    theirs = ask(engine, *where, f"seccomp={profile}", BASE)
    mine = ask(engine, *where, "seccomp=unconfined", BASE, INIT, "--seccomp", ours, "--")
    check(len(theirs) > 440, f"{len(theirs)} verdicts")
    different = {call: (answer, mine.get(call)) for call, answer in theirs.items() if mine.get(call) != answer}
    equal(different, {}, f"{engine.name}, {name}: call: (the engine's verdict, ours)")


def rule(names, action="ERRNO", **more):
    return {"names": names, "action": f"SCMP_ACT_{action}"} | more


# by capabilities of the container, by argument, by architecture and kernel, with other errors, by unknown names
OWN = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
    "syscalls": [
        rule(["acct", "swapon", "no_such_call"]),
        rule(["add_key", "keyctl"], errnoRet=38),
        rule(["mount", "umount2"], excludes={"caps": ["CAP_SYS_ADMIN"]}),
        rule(["chown"], errnoRet=13, includes={"caps": ["CAP_CHOWN"]}),
        rule(["lchown"], includes={"caps": ["CAP_SYS_TIME"]}),
        rule(["sched_yield"], includes={"arches": ["arm64"]}),
        rule(["userfaultfd"], includes={"minKernel": "4.8"}),
        rule(["socket"], errnoRet=97, args=[{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]),
        rule(["personality"], args=[{"index": 0, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]),
        rule(["clone"], args=[{"index": 0, "value": 0x10000000, "valueTwo": 0x10000000, "op": "SCMP_CMP_MASKED_EQ"}]),
    ],
}

with tempfile.TemporaryDirectory() as folder:
    own = pathlib.Path(folder) / "own.json"
    own.write_text(json.dumps(OWN), encoding="ascii")
    for engine in engines():
        if engine.name != "docker":
            continue  # what podman's runtime adds to a profile is its own
        compare(engine, own, "own.json", "/profile.json")
        if "MUSTER_TEST_PROFILE" in os.environ:
            given = pathlib.Path(os.environ["MUSTER_TEST_PROFILE"])
            compare(engine, given, given.name, "/profile.json")
            compare(engine, given, "default", "default")
