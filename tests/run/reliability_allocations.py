#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Allocations that fail end a program with a line or are made good; muster-init makes none once started: the short
version of the figures."""
from lib import reliability

reliability("allocations")
