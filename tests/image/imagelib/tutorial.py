# SPDX-License-Identifier: MIT
"""Pages of docs/tutorial that need an engine, played in its network with a `docker` that is this engine's."""

import pathlib
import re
import tempfile

from imagelib.readme import command, in_turn

from tutoriallib import FOLDER, play

SECONDS = 400  # images are built


def containers(engine, page, env):
    """Those that the page names, and those of its Compose project."""
    named = re.findall(r"--name (\S+)", (FOLDER / f"{page}.md").read_text())
    project = env.get("COMPOSE_PROJECT_NAME")
    label = f"label=com.docker.compose.project={project}"
    return named + (engine.do("ps", "--all", "--quiet", "--filter", label).split() if project else [])


def play_page(engine, page, **env):
    """Whatever containers of the page are still there go behind it."""
    with in_turn(), tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name) / "page"
        folder.mkdir()
        try:
            play(page, engine.inside, command(engine, pathlib.Path(name)) | env, folder, SECONDS)
        finally:
            for container in containers(engine, page, env):
                engine.run("rm", "--force", "--volumes", container)
