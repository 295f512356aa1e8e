# SPDX-License-Identifier: MIT
"""seccomp: the default rules hold for every service, its hooks and probes; profiles are seen to change on a reload."""
import json

from lib import Init, check, contains, equal, need_root, skip, tool

M, VERDICTS = tool("misbehave"), tool("verdicts")
STATUS = "grep ^Seccomp: /proc/self/status"
with Init("--seccomp", "default", "--", VERDICTS, "0", pid1=False) as init:
    if init.wait() != 0:
        skip("no filters here: " + init.stderr.strip())

# everybody who does not say otherwise, hooks and probes too
CONFIG = f"""
[service:plain]
type = oneshot
pre_start = {STATUS}
command = {VERDICTS} 250
[service:free]
type = oneshot
command = {STATUS}
seccomp = unconfined
[service:audited]
type = oneshot
command = {VERDICTS} 250
seccomp = audit
[service:probed]
command = {M} forever
depends_on = plain, free, audited
readiness_probe = exec:sh -c "{STATUS} >{{dir}}/probe"
"""
with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    lines = set(init.stdout.splitlines())
    inherited = [line for line in lines if line.startswith("free") and line.endswith("Seccomp:\t0")]
    check(inherited or "Seccomp:\t2" in open("/proc/self/status").read(), f"one that is unconfined: {lines}")
    for who, what in (("plain", "Seccomp:\t2"), ("plain", "250 errno 1"), ("audited", "250 allowed")):
        check([line for line in lines if line.startswith(who) and line.endswith(what)], f"{who}: no {what!r} in {lines}")
    equal(init.wait_file("probe"), "Seccomp:\t2\n", "a probe's status")
    check("filter of system calls" not in init.stderr, "nothing is said where all is well")

# a profile: refused as a whole when it is wrong, at the start and on a reload; and its content counts
PROFILE = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
CONFIG = f"""
[service:one]
command = sh -c "{VERDICTS} 83 >{{dir}}/one && exec {M} forever"
seccomp = {{dir}}/profile.json
[service:two]
command = {M} forever
seccomp = unconfined
"""
run = Init(config=CONFIG)
run.write("profile.json", json.dumps(PROFILE))
with run as init:
    init.wait_state("one", "running")
    equal(init.wait_file("one"), "83 errno 28\n", "the answer to mkdir")
    init.wait_line("all ready after")
    before = {name: service["pid"] for name, service in init.services().items()}
    equal(init.ctl("reload").stdout, "nothing changed\n", "what musterctl says of the same profile")
    init.write("profile.json", json.dumps(PROFILE) + "]")
    result = init.ctl("reload")
    equal(result.returncode, 1, "exit code of a reload with a bad profile")
    contains(result.stderr, "profile.json:1:", "what musterctl says of a bad profile")
    result = init.ctl("check", str(init.path("muster.ini")))
    equal(result.returncode, 1, "exit code of musterctl check")
    contains(result.stderr, "profile.json:1: column ", "what musterctl check says")
    equal({name: service["pid"] for name, service in init.services().items()}, before, "processes")
    # written otherwise, it means the same
    init.write("profile.json", json.dumps(PROFILE, indent=1))
    equal(init.ctl("reload").stdout, "nothing changed\n", "what musterctl says of other blanks")
    PROFILE["syscalls"][0]["errnoRet"] = 5
    (init.dir / "one").unlink()
    init.write("profile.json", json.dumps(PROFILE))
    plan = {service["name"]: service for service in json.loads(init.ctl("reload", "--dry-run", "--json").stdout)["services"]}
    equal((plan["one"]["action"], plan["one"]["keys"]), ("restart", ["seccomp"]), "what a dry run says of another profile")
    equal(init.ctl("reload").stdout, "restarted: one\n", "what musterctl says of another profile")
    init.wait_state("one", "running")
    equal(init.wait_file("one"), "83 errno 5\n", "the answer to mkdir by the new profile")
    now = {name: service["pid"] for name, service in init.services().items()}
    equal(now["two"], before["two"], "the process of the other service")
    check(now["one"] != before["one"], "the service with the profile has not been started anew")

for text, part in (("{", "profile.json:1:2: the end of the file comes too early"), (None, "profile.json: cannot open: ")):
    run = Init(config=CONFIG)
    if text:
        run.write("profile.json", text)
    with run as init:
        equal(init.wait(), 78, "exit code with a bad profile")
        contains(init.stderr, part, "what is said of it")
        check("one: " not in init.stdout, "nothing was started")

# one profile for two that have other capabilities: its rules for capabilities are asked for each; and it is told once
SHARED = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "includes": {"caps": ["CAP_CHOWN"]}}]}
CONFIG = "".join(f"[service:{name}]\ntype = oneshot\ncommand = {VERDICTS} 83\nseccomp = {{dir}}/profile.json\ncap_drop = {drop}\n"
                 for name, drop in (("with", "KILL"), ("without", "CHOWN")))
run = Init(config=CONFIG)
run.write("profile.json", json.dumps(SHARED))
with run as init:
    equal(init.wait(), 0, "exit code with a profile of two")
    said = [line for line in init.stdout.splitlines() if " | 83 " in line]
    own = int(next(line for line in open("/proc/self/status") if line.startswith("CapBnd:")).split()[1], 16) & 1
    equal(sorted(line.split(" | ")[1] for line in said), sorted(["83 allowed", "83 errno 28" if own else "83 allowed"]), "answers to mkdir")
run = Init(config=CONFIG)
run.write("profile.json", "[]")
with run as init:
    equal(init.wait(), 78, "exit code with a bad profile of two")
    equal(init.stderr.count("profile.json:1:1"), 1, "how often it is told")
    equal(init.ctl("check", init.path("muster.ini")).stderr.count("profile.json:1: column 1"), 1, "how often musterctl check tells it")
    (init.dir / "profile.json").unlink()
    contains(init.ctl("check", init.path("muster.ini")).stderr, "[service:with] seccomp: ", "what musterctl check says of one that is gone")

# without no_new_privileges it takes CAP_SYS_ADMIN: an error where it was asked for, else it is left out
need_root()
BASE = f"[service:web]\ntype = oneshot\ncommand = {STATUS}\nno_new_privileges = no\nuser = 4321\n"
with Init(config=BASE) as init:
    equal(init.wait(), 0, "exit code")
    init.wait_line("warning: services run without a filter of system calls: without no_new_privileges they need CAP_SYS_ADMIN")
with Init(config=BASE + "seccomp = default\n") as init:
    equal(init.wait(), 78, "exit code where it was asked for")
    contains(init.stderr, "[service:web] seccomp: without no_new_privileges the kernel takes a filter only", "the error")
with Init(config=BASE + "cap_add = SYS_ADMIN\nseccomp = default\n") as init:
    equal(init.wait(), 0, "exit code with CAP_SYS_ADMIN")
    contains(init.stdout, "Seccomp:\t2", "its status")
