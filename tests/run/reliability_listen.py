#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No connection to a held socket is lost over restarts and reloads: the short version of the figures."""
from lib import reliability

reliability("listen")
