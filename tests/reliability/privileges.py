#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A privilege that cannot be dropped, or only seems to have been, is noticed before the program runs.

Each call that takes rights away is made to fail, or to do nothing and return 0, by a seccomp filter
that is put around the program under test. What then runs shows what it is, and never is more than asked.
"""
import ctypes
import dataclasses
import errno
import itertools
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile

from report import QUICK, Section
from lib import INIT, check, need_root, proc_status, skip, tool
from rootlib import DOCKER, LIBC, become_namespace_root, capability_set, limit_root

need_root()
if sys.byteorder != "little" or platform.machine() not in ("x86_64", "aarch64"):
    skip("knows the numbers of system calls on x86-64 and arm64 only")

if not int(proc_status(os.getpid())["CapEff"], 16) & capability_set("SYS_ADMIN"):
    skip("needs CAP_SYS_ADMIN, to put faults around a program that may still gain privileges")

X86 = platform.machine() == "x86_64"
# all that do the same, for those programs that take the older ones
NUMBERS = {
    "setgroups": (116,) if X86 else (159,),
    "setresgid": (119, 106, 114) if X86 else (149, 144, 143),
    "setresuid": (117, 105, 113) if X86 else (147, 146, 145),
    "capset": (126,) if X86 else (91,),
    "prctl": (157,) if X86 else (167,),
    "seccomp": (317,) if X86 else (277,),
    "chdir": (80, 81) if X86 else (49, 50),
}
SET_SECCOMP = 22
# the call, and for prctl its first argument; then the words for the step in muster's message
CALLS = {
    "setgroups": ("setgroups", None, "supplementary groups"),
    "setresgid": ("setresgid", None, "group"),
    "setresuid": ("setresuid", None, "user"),
    "capset": ("capset", None, "capabilities"),
    "prctl(PR_CAPBSET_DROP)": ("prctl", 24, "bounding set"),
    "prctl(PR_SET_KEEPCAPS)": ("prctl", 8, "capabilities"),
    "prctl(PR_CAP_AMBIENT)": ("prctl", 47, "capabilities"),
    "prctl(PR_SET_SECUREBITS)": ("prctl", 28, "securebits"),
    "prctl(PR_SET_NO_NEW_PRIVS)": ("prctl", 38, "no_new_privileges"),
    "seccomp": ("seccomp", None, "seccomp"),
    "chdir": ("chdir", None, "working directory"),
}
RESULTS = {"EPERM": errno.EPERM, "EAGAIN": errno.EAGAIN, "EINVAL": errno.EINVAL, "ENOSYS": errno.ENOSYS, "does nothing": 0}

FILTERS = int(proc_status(os.getpid())["Seccomp_filters"])
USER, MORE_GROUP = 54321, 777
BIND, SOME = capability_set("NET_BIND_SERVICE"), capability_set("NET_RAW", "CHOWN")


# ---- what a call is made to do ----


def assemble(rules, error):
    """BPF: these calls, where given only with this first argument, return -error and are not made."""
    code = []
    for number, argument in rules:
        code += [(0x20, 0, 0, 0), (0x15, 0, 1 if argument is None else 3, number)]
        if argument is not None:
            code += [(0x20, 0, 0, 16), (0x15, 0, 1, argument)]
        code.append((0x06, 0, 0, 0x00050000 | error))
    code.append((0x06, 0, 0, 0x7fff0000))
    return b"".join(struct.pack("=HBBI", *one) for one in code)


def inject(call, error):
    """In the process that is going to be the program under test; as root, so that no_new_privs stays off."""
    name, argument, _ = CALLS[call]
    rules = [(number, argument) for number in NUMBERS[name]]
    if name == "seccomp":  # whichever way; this very filter is the last that can be installed
        rules += [(number, SET_SECCOMP) for number in NUMBERS["prctl"]]
    filters = assemble(rules, error)
    code = ctypes.create_string_buffer(filters, len(filters))
    program = struct.pack("HxxxxxxP", len(filters) // 8, ctypes.addressof(code))
    if LIBC.prctl(SET_SECCOMP, 2, program, 0, 0) != 0:
        os._exit(99)


# ---- what it is before ----


def be_root():
    os.setgroups([0, MORE_GROUP + 1])


# ---- what is asked for ----


@dataclasses.dataclass
class Shape:
    name: str
    become: object
    options: list
    uid: int
    groups: set
    kept: int       # capabilities of the program
    bounding: int   # and the most it can have
    no_new: bool
    filtered: bool


ALL = (1 << 64) - 1
AS_USER = ["--user", f"{USER}:{USER}"]
FILTER = ["--seccomp", "default"]
SHAPES = [
    Shape("root becomes a user", be_root, [*AS_USER, "--groups", str(MORE_GROUP), "--no-new-privileges", *FILTER],
          USER, {USER, MORE_GROUP}, 0, ALL, True, True),
    Shape("a user without capabilities", be_root, [*AS_USER, "--cap-drop", "ALL"], USER, {USER}, 0, 0, False, False),
    Shape("a user that binds port 80", be_root,
          [*AS_USER, "--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE", "--no-new-privileges", *FILTER],
          USER, {USER}, BIND, BIND, True, True),
    Shape("root without capabilities", be_root, ["--user", "0:0", "--cap-drop", "ALL"], 0, {0}, 0, 0, False, False),
    Shape("root as in Docker becomes a user that keeps some", lambda: limit_root(DOCKER),
          [*AS_USER, "--cap-drop", "ALL", "--cap-add", "NET_RAW,CHOWN", "--no-new-privileges", *FILTER],
          USER, {USER}, SOME, SOME, True, True),
    Shape("root of a user namespace becomes a user", become_namespace_root,
          [*AS_USER, "--cap-drop", "ALL", "--no-new-privileges", *FILTER], USER, {USER}, 0, 0, True, True),
]


def excess(me, shape, base_filters):
    """What the program is more than it was to be, as words."""
    status = me["status"]
    found = []
    for kind, wanted in (("Uid", {str(shape.uid)}), ("Gid", {str(shape.uid)})):
        if set(status[kind].split()) - wanted:
            found.append(kind)
    if set(map(int, status["Groups"].split())) - shape.groups:
        found.append("Groups")
    for kind, most in (("CapInh", shape.kept), ("CapPrm", shape.kept), ("CapEff", shape.kept),
                       ("CapAmb", shape.kept), ("CapBnd", shape.bounding)):
        if int(status[kind], 16) & ~most:
            found.append(kind)
    if shape.no_new and status["NoNewPrivs"] != "1":
        found.append("NoNewPrivs")
    if shape.filtered and int(status["Seccomp_filters"]) <= base_filters:
        found.append("Seccomp")
    if me["cwd"] != "/usr":
        found.append("working directory")
    return found


class Run:
    """One start under a fault; what ran, if anything, and what was said."""

    def __init__(self, words, become, call, error):
        with tempfile.TemporaryDirectory(prefix="muster-test-") as directory:
            os.chmod(directory, 0o777)

            def setup():
                become()
                if call:
                    inject(call, error)

            command = [*words, tool("misbehave"), "identity", f"{directory}/me"]
            result = subprocess.run(command, preexec_fn=setup, cwd="/", stdin=subprocess.DEVNULL, capture_output=True,
                                    text=True, timeout=60, check=False)
            self.code, self.stderr = result.returncode, result.stderr
            self.me = None
            if os.path.exists(f"{directory}/me"):
                with open(f"{directory}/me", encoding="utf-8") as file:
                    self.me = json.load(file)


# ---- muster ----


def start(shape, call=None, error=0):
    return Run([str(INIT), "--chdir", "/usr", *shape.options, "--"], shape.become, call, error)


def judge(shape, call, result):
    """One cell: what became of it, and whether that is as it should be."""
    run = start(shape, call, RESULTS[result])
    if run.me:
        more = excess(run.me, shape, FILTERS + 1)
        return ("more: " + " ".join(more), False) if more else ("as asked", True)
    # an error is told by its step, a call that did nothing by the first one that then goes wrong
    steps = {CALLS[call][2]} if RESULTS[result] else {step for _, _, step in CALLS.values()} | {"check of the identity"}
    named = any(f": {step}: " in run.stderr for step in steps) and run.stderr.count("\n") == 1
    if run.code == (70 if call == "chdir" else 77):
        return ("refused", True) if named else (f"refused without the step: {run.stderr.strip()}", False)
    return f"code {run.code}: {run.stderr.strip()}", False


def muster_rows():
    results = ["EPERM", "does nothing"] if QUICK else list(RESULTS)
    rows, wrong = [], []
    for call in CALLS:
        refused = asked = 0
        for shape, result in itertools.product(SHAPES, results):
            what, good = judge(shape, call, result)
            refused += what == "refused"
            asked += what == "as asked"
            if not good:
                wrong.append(f"{call}, {result}, {shape.name}: {what}")
        rows.append([f"`{call}`", refused, asked, len(SHAPES) * len(results) - refused - asked])
    return rows, wrong


# ---- others ----

NOBODY = 65534
OTHERS = {
    "setpriv": ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--"],
    "gosu": [f"{NOBODY}:{NOBODY}"],
    "runuser": ["-u", "nobody", "--"],
    "start-stop-daemon": ["--start", "--quiet", "--chuid", "nobody:nogroup", "--exec", "/usr/bin/env", "--"],
    "chpst": ["-u", f":{NOBODY}:{NOBODY}"],
    "s6-setuidgid": [f"{NOBODY}:{NOBODY}"],
    "s6-applyuidgid": ["-u", str(NOBODY), "-g", str(NOBODY), "-G", str(NOBODY), "--"],
    "capsh": [f"--groups={NOBODY}", f"--gid={NOBODY}", f"--uid={NOBODY}", "--shell=/usr/bin/env", "--"],
    "muster-init": ["--user", f"{NOBODY}:{NOBODY}", "--"],
}
OTHER_CALLS = ("setgroups", "setresgid", "setresuid")


def command_of(name):
    if name == "muster-init":
        return [str(INIT), *OTHERS[name]]
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
    return [path, *OTHERS[name]] if path else None


def other_row(name):
    """How often the program ran with more than asked: after an error, and after a call that did nothing."""
    words = command_of(name)
    plain = Run(words, be_root, None, 0)
    shape = Shape("", be_root, [], NOBODY, {NOBODY}, 0, ALL, False, False)
    if not plain.me or set(excess(plain.me, shape, 0)) - {"working directory"}:
        return [name, "does not do this here", "", ""]
    more = {True: 0, False: 0}
    for call, (result, error) in itertools.product(OTHER_CALLS, RESULTS.items()):
        run = Run(words, be_root, call, error)
        if run.me and set(excess(run.me, shape, 0)) - {"working directory"}:
            more[result == "does nothing"] += 1
    count = len(OTHER_CALLS)
    return [name, f"{more[False]} of {count * (len(RESULTS) - 1)}", f"{more[True]} of {count}",
            f"{count - more[True]} of {count}"]


def best_of(rows):
    """Of the other programs, the most that one noticed of calls that did nothing."""
    noticed = [row for row in rows if row[3]]
    best = max(noticed, key=lambda row: int(row[3].split()[0]), default=None)
    return f"{best[0]}: {best[3]} calls that did nothing noticed; of {len(noticed)} programs the best (here)" if best else ""


# ---- ----

for one in SHAPES:
    before = start(one)
    check(before.me is not None, f"{one.name}: {before.code} {before.stderr}")
    check(not excess(before.me, one, FILTERS), f"{one.name}: {excess(before.me, one, FILTERS)}")
    check(int(before.me["status"]["CapAmb"], 16) == (one.kept if one.uid else 0), f"{one.name}: ambient")

ROWS, WRONG = muster_rows()
TOTAL = len(CALLS) * len(SHAPES) * (2 if QUICK else len(RESULTS))
section = Section("Privileges that cannot be dropped", f"""
    Each call that takes rights away is made to fail, or to do nothing and return 0, while `muster-init` becomes what
    it was asked for. The program must not run with more than that: it is refused (exit code 77 and one line that
    names the step; 70 for the directory), or the call did not matter and it runs as asked. Done for
    {len(SHAPES)} identities: {"; ".join(shape.name for shape in SHAPES)}.""")
section.table(["call", "refused", "runs as asked", "more than asked"], ROWS)
for line in WRONG:
    section.say(f"- {line}")
if not QUICK:
    section.say("""The same faults for programs that are used to change the user, `setgroups`, `setresgid` and
`setresuid` (or the older calls, where they take those), from root to a user:""")
    others = [other_row(name) for name in OTHERS if command_of(name)]
    section.table(["program", "ran with more after an error", "ran with more after a call that did nothing",
                   "calls that did nothing noticed"], others)
section.goal("starts with no more privilege than asked", f"{TOTAL} of {TOTAL}", f"{TOTAL - len(WRONG)} of {TOTAL}",
             not WRONG, "" if QUICK else best_of([row for row in others if row[0] != "muster-init"]))
section.finish()
