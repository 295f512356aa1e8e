# SPDX-License-Identifier: MIT
"""What the tests of sd_notify share."""
import pathlib

from lib import until

from notifylib.speaker import Speaker

PROGRAM = f"python3 {pathlib.Path(__file__).with_name('speaker.py')}"


def speaker(init, name):
    """The one that listens at {dir}/NAME, as soon as it does."""
    path = init.dir / name
    until(path.exists, f"{name} listens")
    return Speaker(path)


def fresh(init, name):
    """That of the process that runs now: the path may still be that of the one before."""
    def ask():
        try:
            found = speaker(init, name)
            return found if found.pid() == init.services()[name]["pid"] else None
        except OSError:
            return None

    return until(ask, f"{name} answers")
