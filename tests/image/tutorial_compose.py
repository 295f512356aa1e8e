# SPDX-License-Identifier: MIT
"""docs/tutorial/compose.md works as it is written."""
import uuid

from imagelib import build_images
from imagelib.compose import docker
from imagelib.tutorial import play_page

engine = docker()
build_images(engine)
play_page(engine, "compose", COMPOSE_PROJECT_NAME=f"muster-test-{uuid.uuid4().hex[:8]}")
