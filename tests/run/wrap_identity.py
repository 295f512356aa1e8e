#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--user, --groups, --no-new-privileges, --rlimit, --umask and --chdir make the program what they say."""
import grp
import os
import pwd
import resource

from lib import Init, equal, need_root, tool

need_root()
nobody = pwd.getpwnam("nobody")
daemon = pwd.getpwnam("daemon")
tty, audio = grp.getgrnam("tty").gr_gid, grp.getgrnam("audio").gr_gid


def memberships(name, gid):
    return {gid} | {group.gr_gid for group in grp.getgrall() if name in group.gr_mem}


def become(*options):
    with Init(*options, "--", tool("misbehave"), "identity", "-") as init:
        equal(init.wait(), 0, f"exit code of {options}")
        init.write("me", init.stdout)
        return init.json("me")


def check_ids(options, uid, gid, groups):
    status = become(*options)["status"]
    equal(status["Uid"], " ".join([str(uid)] * 4), f"uids of {options}")
    equal(status["Gid"], " ".join([str(gid)] * 4), f"gids of {options}")
    equal(set(map(int, status["Groups"].split())), set(groups), f"groups of {options}")
    if uid:
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            equal(int(status[name], 16), 0, f"{name} of {options}")


check_ids(["--user", "daemon"], daemon.pw_uid, daemon.pw_gid, memberships("daemon", daemon.pw_gid))
check_ids(["--user", str(nobody.pw_uid)], nobody.pw_uid, nobody.pw_gid, memberships("nobody", nobody.pw_gid))
check_ids(["--user=54321"], 54321, 54321, {54321})
check_ids(["--user", "54321:12345"], 54321, 12345, {12345})
check_ids(["--user", "daemon:tty", "--groups", "audio,777"], daemon.pw_uid, tty,
          memberships("daemon", tty) | {audio, 777})
check_ids(["--user", "0"], 0, 0, memberships("root", 0))
check_ids(["--groups", "777"], 0, 0, {0, 777} | set(os.getgroups()))

me = become("--no-new-privileges", "--umask", "027", "--chdir", "/usr/bin", "--rlimit", "nofile=64:128",
            "--rlimit=core=0", "--rlimit", "fsize=1M:2M", "--rlimit", "nofile=60:120")
equal(me["status"]["NoNewPrivs"], "1", "no_new_privs")
equal(me["umask"], 0o27, "umask")
equal(me["cwd"], "/usr/bin", "working directory")
equal(me["limits"][str(resource.RLIMIT_NOFILE)], [60, 120], "nofile, the last one counts")
equal(me["limits"][str(resource.RLIMIT_CORE)], [0, 0], "core")
equal(me["limits"][str(resource.RLIMIT_FSIZE)], [1 << 20, 2 << 20], "fsize")
free = [(name, number) for name, number in (("core", resource.RLIMIT_CORE), ("fsize", resource.RLIMIT_FSIZE), ("cpu", resource.RLIMIT_CPU))
        if resource.getrlimit(number)[1] == resource.RLIM_INFINITY]
for name, number in free:
    hard = become(f"--rlimit={name}=100000:unlimited")["limits"][str(number)][1]
    equal(hard, become()["limits"][str(number)][1], f"{name}, whose hard limit was none before")
equal(become()["status"]["NoNewPrivs"], "0", "no_new_privs is not set unasked")
