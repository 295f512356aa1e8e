# SPDX-License-Identifier: MIT
"""What README.md says of Compose works as it is written there."""
import os
import pathlib
import tempfile

from imagelib import build_images
from imagelib.compose import PROMETHEUS, Project, docker, make_prometheus
from imagelib.readme import DOCKERFILE_BLOCKS, command, in_turn, run

from lib import ROOT, contains, equal, matches
from readmelib import blocks


def run_stack(engine, env, commands):
    """The repository's own stack. Prometheus' image cannot be pulled, and another one stands for it."""
    try:
        output = run(commands, env | {"PROMETHEUS_IMAGE": PROMETHEUS}, ROOT)
    finally:
        engine.run("compose", "--project-name", "muster", "down", "--volumes", "--timeout", "1", seconds=60)
    matches(output, r"^web +.*ready", "status")


def run_own(engine, env, folder, own, commands):
    _, _, config, dockerfile, _ = blocks("In a Dockerfile", DOCKERFILE_BLOCKS)
    for name, text in (("compose.yaml", own), ("Dockerfile", dockerfile), ("muster.ini", config)):
        (folder / name).write_text(text)
    with Project(engine, folder) as project:
        output = run(commands, env | {"COMPOSE_PROJECT_NAME": project.name}, folder)
        contains(output, "the shop is open", "what the second container says")
        contains(output, "hello", "what Redis says")
        equal(project.do("ps", "--all", "--quiet"), "", "containers left")


def main():
    engine = docker()
    build_images(engine)
    make_prometheus(engine)
    stack, own, commands = blocks("In Compose", ["cd", "services:", "docker"])
    with in_turn(), tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        env = command(engine, folder) | {name: "" for name in os.environ if name.startswith("COMPOSE_")}
        run_stack(engine, env, stack)
        run_own(engine, env, folder, own, commands)


main()
