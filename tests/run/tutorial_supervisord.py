# SPDX-License-Identifier: MIT
"""docs/tutorial/supervisord.md works as it is written."""
from tutoriallib import play_here

play_here("supervisord", "redis-server")
