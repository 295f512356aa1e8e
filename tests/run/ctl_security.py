# SPDX-License-Identifier: MIT
"""security rates what services could do, the strictest low, and tells what is not as it was asked for."""
import ctypes
import json
import os
import pathlib
import subprocess

from lib import CTL, Init, check, contains, equal, matches, need, need_root, read_proc, tool, until

need_root()
need("setpriv")
M = tool("misbehave")
ABI = ctypes.CDLL(None).syscall(444, None, 0, 1)
STRICT = f"""
[service:strict]
command = {M} forever
user = 4321
cap_drop = ALL
seccomp = default
umask = 077
ulimit_core = 0
ulimit_nproc = 100
oom_score_adj = 500
read_only = /usr, /lib, ?/lib64, {os.path.dirname(M)}
writable = {{dir}}
"""
CONFIG = f"""
[service:plain]
command = {M} forever
seccomp = unconfined
no_new_privileges = no
[service:once]
command = {M} exit 0
type = oneshot
[service:left]
command = {M} forever
start = manual
""" + STRICT

with Init(config=CONFIG, pid1=False) as init:
    init.wait_line("all ready after")
    for name in ("plain", "strict"):  # it is what it was to be once it is executed
        until(lambda: read_proc(init.services()[name]["pid"], "cmdline").startswith(M.encode()), f"{name} is executed")

    def security(*words):
        return init.ctl("security", *words)

    def by_name(*words):
        result = security("--json", *words)
        equal(result.returncode, 0, f"exit code: {result.stderr}")
        return {service["name"]: service for service in json.loads(result.stdout)["services"]}

    # one line for each that runs
    result = security()
    equal(result.returncode, 0, "exit code")
    equal([line.split()[0] for line in result.stdout.splitlines()], ["SERVICE", "plain", "strict"], "first words")
    matches(result.stdout, r"^plain +[789]\.\d\d +high +yes +\w", "the line of plain")
    found = by_name()
    equal(sorted(found), ["plain", "strict"], "names")
    check(found["plain"]["exposure"] > 7, f"exposure of plain: {found['plain']['exposure']}")
    if ABI > 0:
        check(found["strict"]["exposure"] <= 3.1, f"exposure of strict: {found['strict']}")
        equal(found["strict"]["level"], "low", "level of strict")
        # what is left to be desired are namespaces
        exposed = [row["name"] for row in found["strict"]["checks"] if row["ok"] is False]
        equal(exposed, ["network", "mounts", "processes it can see"], "what is exposed")
    for service in found.values():
        equal((service["as_asked"], service["differences"]), (True, []), "differences")
        total = sum(row["exposure"] for row in service["checks"])
        check(abs(total - service["exposure"]) < 0.2, f"{total} in all, {service['exposure']} said")
    facts = found["strict"]["found"]
    equal((facts["uid"], facts["gid"], facts["groups"]), (4321, 4321, [4321]), "ids of strict")
    equal(set(map(tuple, facts["capabilities"].values())), {()}, "capabilities of strict")
    equal((facts["no_new_privileges"], facts["seccomp"], facts["descriptors"]), (True, 2, 3), "the rest of strict")
    plain = found["plain"]["found"]
    equal((plain["uid"], plain["no_new_privileges"], plain["seccomp"]), (0, False, 0), "plain")
    check("CHOWN" in plain["capabilities"]["effective"], "plain has CHOWN")

    # one in full
    text = security("strict").stdout
    matches(text, r"^strict: exposure \d\.\d\d of 10 \(\w+\), process \d+$", "the head")
    contains(text, "as asked for in the configuration", "the text")
    matches(text, r"^ok +not root +uid 4321$", "a check that is met")
    matches(text, r"^exposed +network +0\.\d\d +shared with muster-init$", "one that is not")
    equal(list(by_name("strict")), ["strict"], "names with one asked for")
    equal(by_name("strict")["strict"]["exposure"], found["strict"]["exposure"], "exposure, alone or with others")

    # what has been changed behind muster's back shows, and what the configuration does not say is not compared
    pid = init.outside(init.services()["strict"]["pid"])
    pathlib.Path(f"/proc/{pid}/oom_score_adj").write_text("600")
    result = security("strict")
    equal(result.returncode, 1, "exit code with a difference")
    contains(result.stdout, "not as asked: oom_score_adj: 600 instead of 500", "what is said")
    equal(security("plain").returncode, 0, "exit code for the other")
    matches(security().stdout, r"^strict .* no: oom_score_adj ", "the line of strict")
    for key, asked in (("user", "4444"), ("cap_add", "CHOWN"), ("umask", "022"), ("oom_score_adj", "400")):
        init.write("other.ini", f"[service:strict]\ncommand = x\nuser = 4321\n{key} = {asked}\n".replace(
            "user = 4321\nuser", "user"))
        result = security("-c", init.path("other.ini"), "--json", "strict")
        equal(result.returncode, 1, f"exit code with another {key}")
        service = json.loads(result.stdout)["services"][0]
        equal([row["key"] for row in service["differences"]], [key], "differences")
        equal(service["as_asked"], False, "as_asked")
    init.write("none.ini", "[service:else]\ncommand = x\n")
    result = security("-c", init.path("none.ini"), "strict")
    equal(result.returncode, 0, "exit code with nothing to compare")
    contains(result.stdout, "not compared with the configuration", "what is said")
    result = security("-c", init.path("nowhere.ini"), "strict")
    equal(result.returncode, 0, "exit code without a configuration")
    contains(result.stderr, "nothing is compared with the configuration", "what is said")

    # errors
    equal(security("nobody").returncode, 3, "exit code for an unknown name")
    for name in ("once", "left"):
        result = security(name)
        equal(result.returncode, 1, f"exit code for {name}")
        contains(result.stderr, f"{name} has no process now", "what is said")
    equal(security("a", "b").returncode, 2, "exit code for two names")
    init.dir.chmod(0o755)
    result = subprocess.run(["setpriv", "--reuid", "4322", "--regid", "4322", "--clear-groups", CTL, "security"],
                            env=init.env, capture_output=True, text=True, check=False, timeout=20)
    equal(result.returncode, 5, "exit code for a stranger")
    contains(result.stderr, "this needs root", "what a stranger is told")

# from outside of the container its processes have other numbers
with Init(config=CONFIG) as init:
    init.wait_line("all ready after")
    result = init.ctl("security")
    equal(result.returncode, 6, "exit code from outside")
    contains(result.stderr, "in its container", "what is said")
