#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No signal is lost, and a second one ends a shutdown at once."""
from lib import reliability

reliability("signals")
