# SPDX-License-Identifier: MIT
"""docs/tutorial/http-probe.md works as it is written."""
from tutoriallib import play_here

play_here("http-probe", "curl")
