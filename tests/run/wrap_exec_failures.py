#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program that is not there gives 127, one that cannot be executed 126, with one line that says why."""
import os
import shutil

from lib import IS_ROOT, Init, equal, tool

with Init("--", "/bin/true") as home:
    home.wait()
    home.write("plain", "#!/bin/sh\n", 0o644)
    home.write("noformat", "echo this is no program of any known format\n", 0o755)
    home.write("badshebang", "#!/nonexistent/interpreter\n", 0o755)
    home.write("foreign", "\x7fELF\x01\x01\x01 of another machine", 0o755)
    shutil.copy(tool("misbehave"), home.path("busy"))
    writer = os.open(home.path("busy"), os.O_WRONLY)
    for program, code, reason in (
            ("no-such-program", 127, "No such file or directory"),
            ("/no/such/program", 127, "No such file or directory"),
            ("", 127, "No such file or directory"),
            (home.path("plain") + "/x", 127, "Not a directory"),
            (home.path("badshebang"), 127, "its interpreter or loader: No such file or directory"),
            (home.path("plain"), 126, "Permission denied"),
            (home.path(""), 126, "Permission denied"),
            (home.path("noformat"), 126, "Exec format error"),
            (home.path("foreign"), 126, "Exec format error"),
            (home.path("busy"), 126, "Text file busy")):
        for pid1 in (True, False):
            with Init("--", program, "argument", pid1=pid1) as init:
                equal(init.wait(), code, f"code for {program}")
                equal(init.stderr, f"muster-init: cannot start {program}: {reason}\n", "stderr")
                equal(init.stdout, "", "stdout")
    os.close(writer)

# a directory of PATH that is closed to the user holds no program
if IS_ROOT:
    closed = Init("--user", "54321", "--", "no-such-program", env={"PATH": "/usr/bin"})
    (closed.dir / "closed").mkdir(0o700)
    closed.env["PATH"] = f"{closed.dir}/closed:/usr/bin"
    with closed as init:
        equal(init.wait(), 127, "code with a closed directory in PATH")

# a directory of PATH may have a long name; one that is longer than any path can be is passed over
far = Init("--", "far-away", "argument")
deep = far.dir / ("d" * 200) / ("e" * 200)
far.write(f"{deep.relative_to(far.dir)}/far-away", "#!/bin/sh\necho $1; exit 7\n", 0o755)
far.env["PATH"] = f"/{'x' * 5000}:{deep}:/usr/bin"
with far as init:
    equal((init.wait(), init.stdout), (7, "argument\n"), "a program far away")
