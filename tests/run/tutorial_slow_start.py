# SPDX-License-Identifier: MIT
"""docs/tutorial/slow-start.md works as it is written."""
from tutoriallib import play_here

play_here("slow-start")
