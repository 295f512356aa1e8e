# SPDX-License-Identifier: MIT
"""What README.md says of Dockerfiles works as it is written there."""
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import textwrap

from imagelib import build_images, engines

from lib import ROOT, Failure, check, contains, equal, matches, proc_status


def blocks():
    """The section's blocks of code: Dockerfile, another entry point, configuration, Dockerfile, commands."""
    section = re.search(r"^## In a Dockerfile\n(.*?)^## ", (ROOT / "README.md").read_text(), re.M | re.S)[1]
    found = [textwrap.dedent(block) for block in re.findall(r"^\n((?:    .*\n|\n(?=    ))+)", section, re.M)]
    equal([block.split()[0] for block in found], ["FROM", "ENTRYPOINT", "[service:redis]", "FROM", "docker"],
          "blocks of code")
    return found


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


def main():
    engine = engines()[0]
    build_images(engine)
    one, restricted, config, many, commands = blocks()
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        env = command(engine, folder)
        (folder / "muster.ini").write_text(config)
        (folder / "Dockerfile").write_text(one)
        run("docker build --tag one .", env, folder)
        with engine.container("one") as container:
            equal([line for _, line in container.processes()], ["muster-init -- sleep 1h", "sleep 1h"], "processes")
            equal(container.stop(), 143, "exit code of what TERM ends")
        (folder / "Dockerfile").write_text(one + "RUN useradd app\n" + restricted)
        run("docker build --tag one .", env, folder)
        with engine.container("one") as container:
            status = proc_status(container.process("sleep 1h"))
            check(status["Uid"].split()[0] != "0", "the user is still root")
            equal((int(status["CapBnd"], 16), status["Seccomp_filters"]), (0, "2"), "capabilities, filters")
        (folder / "Dockerfile").write_text(many)
        try:
            output = run(commands, env, folder)
            for service, state in (("redis", "ready"), ("greeting", "completed")):
                matches(output, rf"^{service} +.*{state}", "status")
            logs = engine.run("logs", "shop")
            contains(logs.stdout + logs.stderr, "none had to be killed", "last word")
            equal(engine.do("inspect", "--format", "{{.State.ExitCode}}", "shop"), "0", "exit code")
        except Failure:
            print(engine.run("logs", "shop"))
            raise
        finally:
            engine.run("rm", "--force", "shop")
            engine.run("rmi", "--force", "shop", "one")


main()
