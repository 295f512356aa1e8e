#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whichever single system call of muster-init fails: all works, or it ends soon with code and line."""
from lib import reliability

reliability("syscalls")
