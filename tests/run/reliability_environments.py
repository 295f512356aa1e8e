#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""In odd surroundings muster-init does all it should, or ends with the documented code and a line."""
from lib import reliability

reliability("environments")
