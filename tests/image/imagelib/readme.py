# SPDX-License-Identifier: MIT
"""What README.md says is run as it is written there."""

import contextlib
import fcntl
import os
import shlex
import subprocess

from lib import BUILD, check

DOCKERFILE_BLOCKS = ["FROM", "ENTRYPOINT", "[service:redis]", "FROM", "docker"]


@contextlib.contextmanager
def in_turn():
    """What is written has names and ports of its own choice: in one engine it is played one after the other."""
    with open(BUILD / "image/pages.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def command(engine, folder):
    """A `docker` that is this engine's; returns an environment in which it is found."""
    script = [f"export {name}={shlex.quote(value)}" for name, value in engine.environment.items()
              if value != os.environ.get(name)]
    build = f'[ "$1" != build ] || set -- "$@" {shlex.join(engine.build_options)}' if engine.build_options else ""
    path = folder / "bin/docker"
    path.parent.mkdir()
    path.write_text("\n".join(["#!/bin/sh", *script, build, f'exec {shlex.join(engine.words)} "$@"', ""]))
    path.chmod(0o755)
    return os.environ | {"PATH": f"{path.parent}:{os.environ['PATH']}"}


def run(text, env, folder):
    result = subprocess.run(["sh", "-e", "-x", "-c", text], env=env, cwd=folder, capture_output=True, text=True,
                            check=False)
    check(result.returncode == 0, f"{text}\n{result.stdout}{result.stderr}")
    return result.stdout
