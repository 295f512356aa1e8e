#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever shape processes are in, the end comes in time and in order: the short version of the figures."""
from lib import reliability

reliability("shutdown")
