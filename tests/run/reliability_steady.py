#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A system call that fails while all runs, or at the end, once or for a time, costs no service and no init: the short
version of the figures."""
from lib import reliability

reliability("steady")
