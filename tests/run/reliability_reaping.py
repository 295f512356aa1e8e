#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Orphans leave no zombie, and no end of a program is lost: the short version of the figures."""
from lib import reliability

reliability("reaping")
