#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""While nobody reads its stdout muster-init reaps and answers as ever, and counts each line that it has to drop."""
from lib import reliability

reliability("logs")
