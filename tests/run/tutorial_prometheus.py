# SPDX-License-Identifier: MIT
"""docs/tutorial/prometheus.md works as it is written."""
from tutoriallib import play_here

play_here("prometheus", "prometheus", "promtool", "curl")
