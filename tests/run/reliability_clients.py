#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that are slow, silent, many, or speak no HTTP keep nobody from an answer, and cost little."""
from lib import reliability

reliability("clients")
