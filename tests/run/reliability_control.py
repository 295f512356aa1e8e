#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Abuse of the control socket by strangers does not keep its owner waiting, and costs nothing for good."""
from lib import reliability

reliability("control")
