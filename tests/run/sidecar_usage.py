# SPDX-License-Identifier: MIT
"""Wrong use ends with exit code 2 and a sentence; help and version go to standard output; a channel
that is none is not taken for one; a bad configuration is 78 with its errors."""

import os
import subprocess
import tempfile

from lib import SIDECAR, check, contains, equal, matches


def run(*args, **env):
    return subprocess.run([SIDECAR, *args], capture_output=True, text=True, timeout=20, check=False,
                          env={"PATH": os.environ["PATH"], **env})


def main():
    for args, said in ((["--nope"], "nope"), (["extra"], '"extra"'), (["--listen"], "--listen"), (["-c"], "-c|'c'")):
        result = run(*args)
        equal((args, result.returncode, result.stdout), (args, 2, ""), "wrong use")
        matches(result.stderr, said, "message")
    for channel in ("x", "-1", "0", "99", "1e3", "999999"):
        result = run(MUSTER_LINK_FD=channel)
        equal((channel, result.returncode), (channel, 2), "channel")
        contains(result.stderr, f'MUSTER_LINK_FD="{channel}"', "message")
    result = run("--help")
    equal((result.returncode, result.stderr), (0, ""), "help")
    for word in ("--listen", "--run-dir", "--host", "-c", "--version"):
        contains(result.stdout, word, "help")
    result = run("-V")
    equal(result.returncode, 0, "version")
    matches(result.stdout, r"^muster-sidecar \d+\.\d+\.\d+$", "version")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "bad.ini")
        with open(path, "w", encoding="utf-8") as config:
            config.write("[service:db]\ntype = external\nreadiness_probe = tcp://\nnonsense = 1\n")
        result = run("-c", path)
        equal(result.returncode, 78, "bad configuration")
        check(result.stderr.count(f"{path}:") == 2, result.stderr)
        with open(path, "w", encoding="utf-8") as config:
            config.write("[service:db]\ntype = external\nreadiness_probe = exec:true\n")
        result = run("-c", path)
        equal(result.returncode, 78, "a probe that only init can make")
        contains(result.stderr, "needs muster-init", "message")
        equal(run("-c", os.path.join(directory, "none.ini")).returncode, 78, "no such file")


main()
