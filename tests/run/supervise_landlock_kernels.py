# SPDX-License-Identifier: MIT
"""With older kernels Landlock does what it can and says once what it cannot; landlock = require is an error there."""
import ctypes
import sys

from lib import Init, check, equal, need, skip

STRACE = need("strace")
if ctypes.CDLL(None).syscall(444, None, 0, 1) < 5:
    skip("this kernel has no Landlock, or less than version 5")
# what the kernel is asked for is in the trace: the first word of the structure, rights on files
CONFIG = """
[service:web]
type = oneshot
command = /bin/sh -c "PYTHON -c 'import os, sys; os.truncate(sys.argv[1], 0)' {dir}/other; echo changed >>{dir}/other; exit 0"
writable = {dir}/run
[service:late]
type = oneshot
command = /bin/true
depends_on = web
writable = {dir}/run
""".replace("PYTHON", sys.executable)
CALL = "landlock_create_ruleset"


def run(*faults, config=CONFIG):
    words = [STRACE, "-f", "-q", "-o", "{dir}/trace", "-e", f"trace={CALL},landlock_restrict_self",
             "-e", "signal=none"]
    for fault in faults:
        words += ["-e", "inject=" + fault]
    prepared = Init(config=config, prefix=words, pid1=False)
    prepared.write("other", "content")
    with prepared as init:
        code = init.wait()
        other, said = init.read("other"), [line for line in init.stderr.splitlines() if "andlock" in line]
        trace = [line for line in init.read("trace").splitlines() if CALL in line and "VERSION" not in line]
        return code, other, said, trace, init.stderr


# each process asks for the version first: that is the call that answers another number
for version, other in ((1, ""), (2, ""), (3, "content"), (4, "content"), (5, "content"), (6, "content")):
    code, text, said, trace, _ = run(f"{CALL}:retval={version}:when=1")
    equal((code, text), (0, other), f"exit code and the file elsewhere with version {version}")
    if version < 5:
        equal(len(said), 1, f"lines about Landlock with version {version}: {said}")
        check(f"version {version}" in said[0] or "version 3 or 4" in said[0], said[0])
    else:
        equal(said, [], f"lines about Landlock with version {version}")
    check(trace, f"no ruleset with version {version}")

# a version that does not keep its word: the newest part is left out, then the one before
code, text, said, trace, _ = run(f"{CALL}:error=EINVAL:when=2")
equal((code, text), (0, "content"), "exit code and the file elsewhere after one EINVAL")
check(len(trace) >= 4, f"tried again in each process: {trace}")

# none at all: not built in, turned off, refused by the container's filter
for error in ("ENOSYS", "EOPNOTSUPP", "EPERM"):
    code, text, said, _, _ = run(f"{CALL}:error={error}:when=1+")
    equal((code, text), (0, "changed\n"), f"exit code and the file elsewhere with {error}")
    equal(len(said), 1, f"lines with {error}: {said}")
    check("offers no Landlock" in said[0], said[0])
REQUIRED = "[service:web]\ncommand = /bin/touch {dir}/other2\nwritable = {dir}/other\nlandlock = require\n"
for fault in (f"{CALL}:error=ENOSYS:when=1+", f"{CALL}:retval=2:when=1"):
    code, _, _, _, stderr = run(fault, config=REQUIRED)
    equal(code, 77, f"exit code of `require` with {fault}")
    check("cannot start touch: landlock: Operation not supported" in stderr, stderr)

# what answers "done" and does nothing is no confinement; what fails, neither
for fault in ("landlock_restrict_self:retval=0:when=1+", "landlock_restrict_self:error=EPERM:when=1+",
              f"{CALL}:error=EINVAL:when=2+", "landlock_restrict_self:error=E2BIG:when=2+"):
    code, text, _, _, stderr = run(fault)
    equal((code, text), (77, "content"), f"exit code and the file elsewhere with {fault}")
    check("cannot start sh: landlock: " in stderr, stderr)
