#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Side by side with the tini, dumb-init and catatonit of this machine: the same output, the same exit code."""
import re
import shutil
import subprocess

from lib import called, equal, skip

KILLED = ["sh", "-c", "kill -9 $$"]
PIPE = ["sh", "-c", "read word; echo got $word; echo bad >&2"]
LINES = {
    "tini": [
        (["-s", "--", "true"], {}), (["-s", "--", "false"], {}), (["-s", "--", *KILLED], {}), (["-s", "--", *PIPE], {}),
        (["-s", "/nowhere"], {}), (["-s", "nothing-of-this-name"], {}), (["-s", "/etc"], {}), (["-s", "/etc/passwd"], {}),
        (["-s", "-e", "1", "false"], {}), (["-s", "-e", "137", "--", *KILLED], {}), (["-s", "--", "--", "true"], {}),
        (["-p", "NOTHING", "true"], {}), (["-e", "-1", "true"], {}), (["-e", "one", "true"], {}),
        *[(["-s", "-e", text, "false"], {}) for text in (" 1", "+01", "", "1 ", "0x1", "255")],
        (["-s", "true", "-e", "300"], {}), (["-s", "echo", "-x"], {"POSIXLY_CORRECT": ""}), (["true"], {"TINI_VERBOSITY": "0"}),
        (["-s", "-v", "--", "true"], {}), (["-s", "-v", "--", *KILLED], {}), (["true"], {"TINI_SUBREAPER": ""}),
        *[(["-s", "-v", "true"], {"TINI_VERBOSITY": level}) for level in ("2x", " +2", "", "x")],
    ],
    "dumb-init": [
        ([], {}), (["-h"], {}), (["--help"], {"DUMB_INIT_DEBUG": "1"}), (["-V"], {}), (["--version"], {}),
        (["-x"], {}), (["--yolo", "true"], {}), (["--help=1"], {}), (["-vx"], {}), (["--", "true"], {}), (["false"], {}),
        (KILLED, {}), (PIPE, {}), (["/nowhere"], {}), (["nothing-of-this-name"], {}), (["/etc"], {}), (["-c", "/etc/passwd"], {}),
        (["-r", "1", "true"], {}), (["-r", "1:32", "true"], {}),
        *[(["-v", "-c", "-r", text, "true"], {}) for text in ("15:3x", " +15: 0", "15 :3", "15:", "0x1:2", "15:-1")],
        (["-r", "15:3", "-r", "", "true"], {"DUMB_INIT_DEBUG": "1"}),
        (["-v", "-c", "true"], {}), (["--verb", "--single", "false"], {}), (["-v", "-c", *KILLED], {}),
        (["-c", "-v", "-r", "15:2", "true"], {}), (["-c", "-v", "-r", "15:0", "true"], {}),
        (["true"], {"DUMB_INIT_DEBUG": "1", "DUMB_INIT_SETSID": "0"}), (["echo", "-v"], {}),
    ],
    "catatonit": [
        ([], {}), (["-x"], {}), (["--yolo"], {}), (["--", "true"], {}), (["false"], {}), (["--", *KILLED], {}),
        (["--", *PIPE], {}), (["/nowhere"], {}), (["-g", "nothing-of-this-name"], {}), (["/etc"], {}), (["/etc/passwd"], {}),
        (["true", "-x"], {}), (["-g", "--", "echo", "-x"], {}),
    ],
}


def run(name, program, arguments, env):
    result = subprocess.run([name, *arguments], executable=program, env={"PATH": "/usr/bin:/bin", **env}, input="word\n",
                            capture_output=True, text=True, timeout=60, check=False)
    return (result.returncode, *(re.sub(r"(?<=[ (:'])\d+(?=\)|'$|\.$| exited| was)", "N", text, flags=re.M)
                                 for text in (result.stdout, result.stderr)))


missing = [name for name in LINES if not shutil.which(name)]
for name in LINES.keys() - set(missing):
    for arguments, env in LINES[name]:
        equal(run(name, called(name), arguments, env), run(name, shutil.which(name), arguments, env),
              f"{name} {' '.join(arguments)} with {env}")
if missing:
    skip(f"not installed: {', '.join(missing)}; the others are alike")
