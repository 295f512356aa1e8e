#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A reload takes the new plan as a whole or not at all, and touches only what changed: the short version of the figures."""
from lib import reliability

reliability("reload")
