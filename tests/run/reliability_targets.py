#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hostile targets and name servers get the right verdict in time: the short version of the figures."""
from lib import reliability

reliability("targets")
