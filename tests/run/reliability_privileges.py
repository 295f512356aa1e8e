#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A privilege that cannot be dropped, or only seems to have been, is noticed before the program runs."""
from lib import reliability

reliability("privileges")
