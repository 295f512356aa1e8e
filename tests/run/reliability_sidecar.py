#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A sidecar that is killed and stopped again and again touches no service, and nobody hears from it what is not so."""
from lib import reliability

reliability("sidecar")
