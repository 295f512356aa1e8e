# SPDX-License-Identifier: MIT
"""--seccomp: each call of x86-64 gets the answer that Docker's default rules give; profiles and audit do what they say."""
import json
import platform

from lib import IS_ROOT, Init, check, contains, equal, run_init, skip, tool

if platform.machine() != "x86_64":
    skip("the numbers here are those of x86-64")
VERDICTS = tool("verdicts")
DROP = ("--cap-drop", "ALL") if IS_ROOT else ()


def verdicts(*words, profile="default", options=DROP):
    """{word: answer} of the kernel, for a program under this filter."""
    result = run_init(*options, "--seccomp", profile, "--", VERDICTS, *words, pid1=False)
    if result.code == 77 and "cannot listen" in result.stderr:
        skip("no other filter may listen here: " + result.stderr.strip())
    equal(result.code, 0, f"exit code with {profile}: {result.stderr}")
    return dict(line.split(" ", 1) for line in result.stdout.splitlines())


def numbers(text):
    for part in text.split():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


# what nobody has without a capability: numbers of calls, and of none
DENIED = set(numbers(
    "103 134 136 139 153 155-156 161 163-170 172-185 212 227 236-239 246 248-250 256 272 279 298 300 304 308 312-313 "
    "320-321 323 337-423 425-433 438 440 442-443 450 459-461")) | {171}
ENOSYS = {435, *range(467, 480)}
# 335 and 336, the kernel's own way back from a probe, are asked no filter (Linux 6.14)
expected = {str(number): "errno 1" if number in DENIED else "errno 38" if number in ENOSYS else "allowed"
            for number in numbers("0-334 337-479")}
found = verdicts("0-334", "337-479")
equal(len(found), len(expected), "calls")
for number, answer in expected.items():
    equal(found[number], answer, f"the answer to call {number}")

# arguments: AF_ALG and AF_VSOCK, also where the half is set that the kernel does not read; namespaces; personalities
for word, answer in verdicts("41:1", "41:2", "41:16", "41:38", "41:39", "41:40", "41:41", "41:0x100000026", "56:0x1200011",
                             "56:0x10000000", "56:0x20000", "135:0", "135:8", "135:0xffffffff", "135:0x40000").items():
    denied = word in ("41:38", "41:40", "41:0x100000026", "56:0x10000000", "56:0x20000", "135:0x40000")
    equal(answer, "errno 1" if denied else "allowed", word)
if IS_ROOT:
    found = verdicts("165", "435", "272", "321", "250", options=("--cap-drop", "ALL", "--cap-add", "SYS_ADMIN"))
    equal(found, {"165": "allowed", "435": "allowed", "272": "allowed", "321": "allowed", "250": "errno 1"}, "SYS_ADMIN")
    found = verdicts("164", "165", options=("--cap-drop", "ALL", "--cap-add", "SYS_TIME"))
    equal(found, {"164": "allowed", "165": "errno 1"}, "SYS_TIME")

# other doors
for door in ("i386", "x32"):
    result = run_init("--seccomp", "default", "--", VERDICTS, door, pid1=False)
    equal(result.stdout, f"{door} Bad system call\n", "the end of a program that enters so")

# audit lets everything pass, by the same rules; and without a filter, nothing is there
check(set(verdicts("0-334", "337-480", profile="audit").values()) == {"allowed"}, "audit refuses nothing")
STATUS = ("grep", "-E", "^(Seccomp|NoNewPrivs):", "/proc/self/status")
equal(run_init("--seccomp", "audit", "--", *STATUS, pid1=False).stdout, "NoNewPrivs:\t1\nSeccomp:\t2\n", "status")
plain = run_init("--", *STATUS, pid1=False).stdout
equal(run_init("--seccomp", "unconfined", "--", *STATUS, pid1=False).stdout, plain, "status when unconfined")

# a profile of one's own
PROFILE = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [
        {"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
        {"names": ["chroot"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "excludes": {"caps": ["CAP_SYS_CHROOT"]}},
        {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 10, "op": "SCMP_CMP_EQ"}]},
    ],
}


def with_file(text, *words, options=DROP, prefix=""):
    run = Init(*options, "-v", "--seccomp", prefix + "{dir}/profile.json", "--", *words, pid1=False)
    run.write("profile.json", text)
    with run as init:
        code = init.wait()
        return code, init.stdout, init.stderr.replace(str(init.dir), "DIR")


code, out, err = with_file(json.dumps(PROFILE), VERDICTS, "83", "161", "41:10", "41:2", "257")
equal((code, out), (0, "83 errno 28\n161 errno 5\n41:10 errno 1\n41:2 allowed\n257 allowed\n"), "an own profile")
equal(err.count('profile.json: the system call "no_such_call" is not known here'), 1, "lines about an unknown call")
code, out, err = with_file(json.dumps(PROFILE | {"flags": ["SECCOMP_FILTER_FLAG_LOG"]}), VERDICTS, "83")
equal((code, out), (0, "83 errno 28\n"), "a profile with flags")
contains(err, '"flags" are passed over', "what is said of flags")
code, out, err = with_file(json.dumps(PROFILE), VERDICTS, "83", "161", prefix="audit:")
equal((code, out), (0, "83 allowed\n161 allowed\n"), "the same, audited")
code, out, err = with_file('{\n "defaultAction": "SCMP_ACT_DENY",\n "syscalls": [{}]\n}', "true")
equal(code, 78, "exit code of a bad profile")
contains(err, "--seccomp: DIR/profile.json:2:19: expected SCMP_ACT_ALLOW", "the first error")
contains(err, 'DIR/profile.json:3:15: "action" is missing', "the second error")
code, out, err = with_file('{"defaultAction": "SCMP_ACT_ERRNO"}', "true")
equal(code, 126, "exit code where exec itself is refused")
equal(run_init("--seccomp", "/no/such/file", "--", "true", pid1=False).code, 78, "exit code without the profile")
