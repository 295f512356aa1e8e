#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--cap-drop and --cap-add for an init that is not quite root: what it has it may ask for, more is refused with the
reason, and what it cannot take away for good is refused, too."""
import shutil
import subprocess

from lib import INIT, Init, contains, equal, need, need_root, tool
from rootlib import capability_set

need_root()
SETPRIV = need("setpriv")
AS_1000 = [SETPRIV, "--reuid", "1000", "--regid", "1000", "--clear-groups"]  # no line in passwd is needed
BIND, RAW = capability_set("NET_BIND_SERVICE"), capability_set("NET_RAW")


def run(options, prefix=(), pid1=False):
    """Exit code, stderr, and what the program was, if it ran."""
    init = Init(*options, "--", "{dir}/misbehave", "identity", "{dir}/me", pid1=pid1, prefix=prefix)
    init.dir.chmod(0o777)
    for program in (INIT, tool("misbehave")):  # where that user may look
        shutil.copy(program, init.dir)
    init.program = init.path("muster-init")
    with init:
        code = init.wait()
        return code, init.stderr, init.json("me") if init.read("me") else None


def sets(me):
    return [int(me["status"][f"Cap{name}"], 16) for name in ("Prm", "Eff", "Inh", "Amb", "Bnd")]


def refused(options, prefix, reason):
    code, stderr, me = run(options, prefix)
    equal((code, me), (77, None), f"{options} after {prefix}")
    contains(stderr, reason, f"stderr for {options}")
    equal(stderr.count("\n"), 1, f"lines for {options}")


# nobody's user, as OpenShift starts it: what it does not have it need not drop
for more in ((), ("--user", "1000")):
    code, stderr, me = run((*more, "--cap-drop", "ALL"), [*AS_1000, "--no-new-privs"])
    equal((code, stderr), (0, ""), "a pod's user that may gain nothing")
    equal((sets(me)[:4], me["status"]["Uid"].split()), ([0] * 4, ["1000"] * 4), "a pod's user")
equal(run(("--cap-drop", "ALL", "--no-new-privileges"), AS_1000)[0], 0, "no_new_privs of its own")
equal(run(("--cap-drop", "ALL"), [*AS_1000, "--bounding-set=-all"])[0], 0, "nothing is left to drop")
# but a set-user-ID program could have it again
refused(("--cap-drop", "ALL"), AS_1000, "bounding set: Operation not permitted")
refused(("--cap-add", "NET_BIND_SERVICE"), AS_1000, "--cap-add: init itself does not have CAP_NET_BIND_SERVICE")
refused(("--cap-add", "SYS_ADMIN"), [SETPRIV, "--bounding-set=-sys_admin"], "init itself does not have CAP_SYS_ADMIN")

# a user to whom the runtime gave something, as podman does
GIVEN = [*AS_1000, "--inh-caps=-all,+net_bind_service,+net_raw", "--ambient-caps=-all,+net_bind_service,+net_raw",
         "--no-new-privs"]
for options, kept in (((), BIND | RAW), (("--cap-drop", "NET_RAW"), BIND), (("--cap-drop", "ALL"), 0),
                      (("--cap-drop", "ALL", "--cap-add", "net_raw"), RAW),
                      (("--user", "1000", "--cap-add", "NET_RAW"), RAW)):
    code, stderr, me = run(options, GIVEN)
    equal((code, stderr), (0, ""), f"{options} of a user with capabilities")
    equal(sets(me)[:4], [kept] * 4, f"capabilities with {options}")

# root that may not set securebits or the bounding set
FEW = [SETPRIV, "--bounding-set=-setpcap"]
refused(("--user", "1000", "--cap-drop", "ALL"), FEW, "bounding set: Operation not permitted")
code, stderr, me = run(("--user", "1000", "--cap-drop=ALL", "--cap-add=NET_RAW", "--no-new-privileges"), FEW)
equal((code, sets(me)[:4]), (0, [RAW] * 4), "a user of a root without SETPCAP")
code, stderr, me = run(("--cap-drop=ALL", "--no-new-privileges"), FEW)
equal((code, sets(me)[:4], me["securebits"]), (0, [0] * 4, 0), "root itself, without SETPCAP")

# a user namespace with a single user, in which nobody may set groups
if subprocess.run(["unshare", "--map-root-user", "true"], capture_output=True, check=False).returncode == 0:
    ALONE = [*AS_1000, "unshare", "--map-root-user"]
    code, stderr, me = run(("--user", "0", "--cap-drop", "ALL"), ALONE)
    equal((code, stderr), (0, ""), "root of a namespace of one")
    equal(sets(me), [0] * 5, "root of a namespace of one")
    code, stderr, me = run(("--user", "1:1"), ALONE)
    equal((code, me), (77, None), "a user that is not in the namespace")

