# SPDX-License-Identifier: MIT
"""docs/tutorial/two-services.md works as it is written."""
from tutoriallib import play_here

play_here("two-services")
