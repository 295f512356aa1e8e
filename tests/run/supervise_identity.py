# SPDX-License-Identifier: MIT
"""user, group, group_add, umask, working_dir, nice, oom_score_adj and ulimit_* hold for the service, and no way leads back."""
import resource

from lib import Init, equal, need_root, tool

need_root()
M = tool("misbehave")
CONFIG = f"""
[service:low]
command = {M} identity {{dir}}/out/low forever
user = 4321
group = 8765
group_add = 11, 12
umask = 0137
working_dir = /usr
nice = 5
oom_score_adj = 123
ulimit_nofile = 99:1999
ulimit_core = 0
ulimit_fsize = 64M
ulimit_nproc = 500
[service:named]
command = {M} identity {{dir}}/out/named forever
user = nobody
[service:root]
command = {M} identity {{dir}}/out/root forever
[service:old-ways]
command = {M} identity {{dir}}/out/old-ways forever
no_new_privileges = no
"""

run = Init(config=CONFIG, cwd="/var", setup=lambda: resource.setrlimit(resource.RLIMIT_MSGQUEUE, (999, 999)))
(run.dir / "out").mkdir()
(run.dir / "out").chmod(0o777)
with run as init:
    low = init.json("out/low")
    status = low["status"]
    equal(status["Uid"].split(), ["4321"] * 4, "user")
    equal(status["Gid"].split(), ["8765"] * 4, "group")
    equal(sorted(status["Groups"].split()), ["11", "12", "8765"], "groups")
    equal({status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}, {"0" * 16}, "capabilities")
    equal((status["NoNewPrivs"], status["SigBlk"], status["SigIgn"]), ("1", "0" * 16, "0" * 16), "status")
    equal((low["umask"], low["cwd"], low["nice"], low["oom_score_adj"]), (0o137, "/usr", 5, "123"), "the rest")
    equal((low["sid"], low["pgid"]), (low["pid"], low["pid"]), "session and group")
    limits = {name: low["limits"][str(getattr(resource, f"RLIMIT_{name}"))] for name in ("NOFILE", "CORE", "FSIZE", "NPROC")}
    equal(limits, {"NOFILE": [99, 1999], "CORE": [0, 0], "FSIZE": [64 << 20] * 2, "NPROC": [500, 500]}, "limits")

    equal(init.json("out/named")["status"]["Uid"].split()[0], "65534", "user nobody")
    root = init.json("out/root")
    equal((root["status"]["Uid"].split()[0], root["status"]["NoNewPrivs"], root["cwd"]), ("0", "1", "/var"), "root")
    equal(root["limits"][str(resource.RLIMIT_MSGQUEUE)], [999, 999], "a limit that is inherited")
    equal(init.json("out/old-ways")["status"]["NoNewPrivs"], "0", "no_new_privileges = no")
