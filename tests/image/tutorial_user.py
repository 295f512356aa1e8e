# SPDX-License-Identifier: MIT
"""docs/tutorial/user.md works as it is written."""
from imagelib import build_images, engines
from imagelib.tutorial import play_page

engine = engines()[0]
build_images(engine)
play_page(engine, "user")
