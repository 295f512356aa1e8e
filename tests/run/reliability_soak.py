#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two thousand restarts beside reloads, clients and a sidecar that is killed leave PID 1 as it was."""
from lib import reliability

reliability("soak")
