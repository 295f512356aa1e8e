#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""user, group_add, cap_add, cap_drop and no_new_privileges give what is written down here, to the bit, as root, as root
with few capabilities and as root of a user namespace; what cannot be given is refused."""
import itertools
import os
import pathlib
import pwd

from lib import Init, equal, need_root, proc_status, skip, tool, until
from rootlib import DOCKER, become_namespace_root, capability_set, limit_root

need_root()
M = tool("misbehave")
OWN = int(proc_status(os.getpid())["CapPrm"], 16) & int(proc_status(os.getpid())["CapBnd"], 16)
FILTERS = int(proc_status(os.getpid())["Seccomp_filters"])
SETPCAP, ADMIN = capability_set("SETPCAP"), capability_set("SYS_ADMIN")
if DOCKER & ~OWN:
    skip("needs the capabilities that Docker leaves a container")
# of a namespace of one's own, root has all that the kernel knows
ALL = (2 << int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))) - 1
nobody = pwd.getpwnam("nobody")

# keys, uid, groups
USERS = {
    "init": ("", 0, None),
    "root": ("user = root\n", 0, {0}),
    "number": ("user = 54321\n", 54321, {54321}),
    "named": ("user = nobody\n", nobody.pw_uid, {nobody.pw_gid}),
    "more": ("user = 4321\ngroup = 8765\ngroup_add = 11, 12\n", 4321, {8765, 11, 12}),
}
BIND, SOME, RAW = capability_set("NET_BIND_SERVICE"), capability_set("CHOWN", "KILL"), capability_set("NET_RAW")
# keys, then from what init has: what is left at most, and what another user is given of it
SETS = {
    "plain": ("", None, None),
    "none": ("cap_drop = ALL\n", lambda own: 0, lambda own: 0),
    "less": ("cap_drop = NET_RAW, cap_chown\ncap_add = CHOWN\n", lambda own: own & ~RAW, lambda own: SOME & ~capability_set("KILL")),
    "bind": ("cap_drop = all\ncap_add = NET_BIND_SERVICE\n", lambda own: BIND, lambda own: BIND),
    "some": ("cap_drop = ALL\ncap_add = CAP_CHOWN\n\tKILL\n", lambda own: SOME, lambda own: SOME),
    "more": ("cap_add = net_bind_service\n", lambda own: own, lambda own: BIND),
    "all": ("cap_add = ALL\n", lambda own: own, lambda own: own),
    "most": ("cap_add = ALL\ncap_drop = NET_RAW\n", lambda own: own & ~RAW, lambda own: own & ~RAW),
}
LOCKED = 0xef  # all four on and locked, but keep_caps, which is locked off


def expected(user, caps, safe, own):
    """CapInh Prm Eff Bnd Amb, NoNewPrivs, securebits, filters more than here; None: refused."""
    _, uid, _ = USERS[user]
    _, most, given = SETS[caps]
    locked = 0
    if most is None:
        inherited, held, bounding = 0, own if uid == 0 else 0, own
    else:
        bounding, inherited = most(own), 0 if uid == 0 else given(own)
        held = bounding if uid == 0 else inherited
        if not own & SETPCAP:
            if bounding != own and not safe:
                return None
            bounding = own
        elif bounding == 0 or (uid != 0 and safe):
            locked = LOCKED
    return [f"{part:016x}" for part in (inherited, held, held, bounding, inherited)], str(int(safe)), locked, int(safe or bool(held & ADMIN))


def services():
    for user, caps, safe in itertools.product(USERS, SETS, (True, False)):
        if safe or user in ("root", "number"):
            yield f"{user}-{caps}-{'safe' if safe else 'open'}", user, caps, safe


CONFIG = "".join(f"""[service:{name}]
command = {M} identity {{dir}}/out/{name} forever
essential = no
restart = no
no_new_privileges = {"yes" if safe else "no"}
{USERS[user][0]}{SETS[caps][0]}""" for name, user, caps, safe in services())


def shown(me):
    status = me["status"]
    return ([status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")], status["NoNewPrivs"],
            me["securebits"], int(status["Seccomp_filters"]) - FILTERS)


def check_account(name, user, status):
    _, uid, groups = USERS[user]
    gid = 8765 if user == "more" else uid if user != "named" else nobody.pw_gid
    equal(status["Uid"].split(), [str(uid)] * 4, f"uids of {name}")
    equal(status["Gid"].split(), [str(gid)] * 4, f"gids of {name}")
    if groups is not None:
        equal(set(map(int, status["Groups"].split())), groups, f"groups of {name}")
    equal((status["SigBlk"], status["SigIgn"]), ("0" * 16, "0" * 16), f"signals of {name}")


def compare(where, own, setup):
    run = Init(config=CONFIG, pid1=False, setup=setup)
    for name in ("run", "out"):
        (run.dir / name).mkdir()
    (run.dir / "out").chmod(0o777)
    if setup == become_namespace_root:
        for path in (run.dir, run.dir / "run", run.dir / "out"):
            os.chown(path, 1000000, 1000000)
    with run as init:
        for name, user, caps, safe in services():
            wanted = expected(user, caps, safe, own)
            if wanted is None:
                service = init.wait_state(name, "failed")
                equal(service["reason"], "cannot start misbehave: bounding set: Operation not permitted", name)
                equal(init.read(f"out/{name}"), "", f"{where}: {name}")
                continue
            until(lambda: init.read(f"out/{name}"), f"{where}: {name} runs")
            me = init.json(f"out/{name}")
            equal(shown(me), wanted, f"{where}: {name}")
            check_account(f"{where}: {name}", user, me["status"])


compare("root", OWN, None)
compare("restricted", DOCKER, lambda: limit_root(DOCKER))
compare("without SETPCAP", DOCKER & ~SETPCAP, lambda: limit_root(DOCKER & ~SETPCAP))
compare("user namespace", ALL, become_namespace_root)
