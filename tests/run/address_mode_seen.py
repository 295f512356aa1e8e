# SPDX-License-Identifier: MIT
"""The mode is that of MUSTER_MODE, else of ENV_TYPE, else what the surroundings show: Kubernetes, the marks of
a container, else development; and it is told who said so."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from lib import CTL, IS_ROOT, contains, equal, need, skip

HOSTS = {"development": "dev", "testing": "test", "container": "box", "kubernetes": "pod", "production": "prod"}
BOOK = "[address:db]\nport = 5432\n" + "".join(f"{mode} = {host}\n" for mode, host in HOSTS.items())
POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
NOBODY = "nothing says otherwise"
# variables, files in the root, the mode, and who said so
CASES = (
    ({}, (), "development", NOBODY),
    ({"MUSTER_MODE": "auto"}, (), "development", NOBODY),
    ({"MUSTER_MODE": ""}, (), "development", NOBODY),
    ({"MUSTER_MODE": "production", "ENV_TYPE": "testing", "container": "oci"} | POD, (".dockerenv",), "production",
     "environment MUSTER_MODE"),
    ({"ENV_TYPE": "testing", "container": "oci"} | POD, (".dockerenv",), "testing", "environment ENV_TYPE"),
    ({"ENV_TYPE": "PROD"}, (), "production", "environment ENV_TYPE"),
    ({"MUSTER_MODE": "auto", "ENV_TYPE": "k8s"}, (), "kubernetes", "environment ENV_TYPE"),
    ({"ENV_TYPE": "staging"}, (), "development", NOBODY),
    ({"ENV_TYPE": ""} | POD, (".dockerenv",), "kubernetes", "environment KUBERNETES_SERVICE_HOST"),
    ({"container": "podman"}, (), "container", "environment container"),
    ({}, (".dockerenv",), "container", "/.dockerenv"),
    ({}, ("run/.containerenv",), "container", "/run/.containerenv"),
)


def make_root(folder):
    """A root with nothing but musterctl in it."""
    libraries = subprocess.run(["ldd", CTL], capture_output=True, text=True, check=False).stdout
    for name in re.findall(r"(?:=> |^\s+)(/\S+)", libraries, re.M):
        place = folder / name[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, place)
    shutil.copy(CTL, folder / "musterctl")
    (folder / "run").mkdir(exist_ok=True)
    (folder / "muster.ini").write_text(BOOK)


def resolve(folder, env):
    return subprocess.run([*([] if IS_ROOT else ["unshare", "--map-root-user"]), "chroot", folder, "/musterctl", "-c",
                           "/muster.ini", "resolve", "--json", "db"], env={"PATH": os.environ["PATH"]} | env,
                          capture_output=True, text=True, check=False)


def main():
    need("chroot")
    need("ldd")
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        make_root(folder)
        if "chroot:" in (refused := resolve(folder, {}).stderr) or "unshare:" in refused:
            skip(refused.strip())
        for env, marks, mode, source in CASES:
            for mark in marks:
                (folder / mark).touch()
            result = resolve(folder, env)
            for mark in marks:
                (folder / mark).unlink()
            equal((env, result.returncode), (env, 0), result.stderr)
            found = json.loads(result.stdout)
            equal((env, found["mode"], found["mode_source"], found["host"]), (env, mode, source, HOSTS[mode]), "mode")
            if env.get("ENV_TYPE") == "staging":
                contains(result.stderr, 'ENV_TYPE: "staging" is none of', "a word that is no mode is told")
        result = resolve(folder, {"MUSTER_MODE": "moon"})
        equal((result.returncode, result.stdout), (1, ""), "a mode that is none")
        contains(result.stderr, '"moon"', "what is said")


main()
