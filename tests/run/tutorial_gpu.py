# SPDX-License-Identifier: MIT
"""docs/tutorial/gpu.md works as it is written, with the stand-in for gpu-check that it has."""
from tutoriallib import play_here

play_here("gpu")
