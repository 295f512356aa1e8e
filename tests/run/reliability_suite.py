#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests that are run again and again pass each time and leave no file behind."""
from lib import reliability

reliability("suite")
