# SPDX-License-Identifier: MIT
"""Completions for bash and zsh offer every verb, the options of each, and the services that run."""

import pathlib
import re
import shutil
import subprocess

from lib import CTL, Init, check, equal

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs/completions"
CONFIG = "[service:web]\ncommand = sleep 1000\n[service:worker]\ncommand = sleep 1000\n[service:db]\ncommand = sleep 1000\n"

verbs = set(re.findall(r"^  ([a-z]+) ", subprocess.run([CTL, "--help"], capture_output=True, text=True, check=True).stdout, re.M))
check("status" in verbs, "verbs are found")


def bash(line, env):
    """What bash would offer behind the line."""
    script = """source "$0"; COMP_WORDS=($1); [[ $1 = *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMP_WORDS[0]=$2; _musterctl; printf '%s\\n' "${COMPREPLY[@]}" """
    result = subprocess.run(["bash", "-c", script, FOLDER / "musterctl.bash", line, CTL], env=env, capture_output=True,
                            text=True, check=True)
    equal(result.stderr, "", f"what bash says to {line!r}")
    return set(result.stdout.split())


with Init(config=CONFIG) as init:
    init.wait_state("db", "running")
    env = {"PATH": "/usr/bin:/bin", "MUSTER_RUN_DIR": str(init.run_dir)}
    offered = bash("musterctl ", env)
    equal(verbs - offered, set(), "verbs that are not offered")
    equal(bash("musterctl st", env), {"status", "start", "stop"}, "st")
    equal(bash("musterctl restart w", env), {"web", "worker"}, "restart w")
    equal(bash("musterctl --run-dir /x logs d", env | {"MUSTER_RUN_DIR": "/x"}), set(), "names of an init that is not there")
    equal(bash("musterctl status --", env), {"--json", "--watch"}, "options of status")
    equal(bash("musterctl graph --format d", env), {"dot"}, "formats of graph")
    check("/etc/passwd" in bash("musterctl check /etc/passw", env), "files are offered to check")
    for verb in sorted(verbs):
        help_line = subprocess.run([CTL, verb, "--help"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        equal(bash(f"musterctl {verb} --", env), set(re.findall(r"--[a-z-]+", help_line)), f"options of {verb}")

if shutil.which("zsh"):
    subprocess.run(["zsh", "-n", FOLDER / "_musterctl"], check=True)
else:
    print("not looked at: the file for zsh, as there is no zsh")
