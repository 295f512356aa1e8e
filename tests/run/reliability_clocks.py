#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever clocks do, muster-init's intervals stay what they are: no storm of restarts or probes."""
from lib import reliability

reliability("clocks")
