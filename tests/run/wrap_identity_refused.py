#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Without the right to it another user is refused with 77; asking for the user that one is works."""
from lib import Init, equal, need, need_root, tool

need_root()
SETPRIV = need("setpriv")
AS_1000 = [SETPRIV, "--reuid", "1000", "--regid", "1000", "--groups", "1000,2000", "--inh-caps=-all",
           "--bounding-set=-all", "--no-new-privs"]

for user, code in (("1000", 0), ("1000:1000", 0), ("1001", 77), ("root", 77), ("1000:1001", 77)):
    run = Init("--user", user, "--", tool("misbehave"), "append", "{dir}/ran", "x", pid1=False, prefix=AS_1000)
    run.dir.chmod(0o777)
    with run as init:
        equal(init.wait(), code, f"exit code for --user {user}")
        equal(init.read("ran"), "" if code else "x\n", f"the program for --user {user}")
for groups, code in (("2000", 0), ("2001", 77)):
    with Init("--user", "1000", "--groups", groups, "--", "true", pid1=False, prefix=AS_1000) as init:
        equal(init.wait(), code, f"exit code for --groups {groups}")
