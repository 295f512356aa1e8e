#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A fault in muster-init itself ends everything with one line and exit code 70."""
from lib import reliability

reliability("faults")
