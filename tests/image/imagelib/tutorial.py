# SPDX-License-Identifier: MIT
"""Pages of docs/tutorial that need an engine, played in its network with a `docker` that is this engine's."""

import pathlib
import tempfile

from imagelib.readme import command

from tutoriallib import play

SECONDS = 400  # images are built


def play_page(engine, page, **env):
    """Whatever containers of the page are still there go behind it."""
    before = set(engine.do("ps", "--all", "--quiet").split())
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name) / "page"
        folder.mkdir()
        try:
            play(page, engine.inside, command(engine, pathlib.Path(name)) | env, folder, SECONDS)
        finally:
            rest = set(engine.do("ps", "--all", "--quiet").split()) - before
            if rest:
                engine.run("rm", "--force", "--volumes", *rest)
