# SPDX-License-Identifier: MIT
"""Where the limit of descriptors is huge, services get 1024 as soft limit: some close all that they could have."""
import resource

from lib import Init, equal, skip, tool

HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
HUGE = 524288  # at most this is left as it is
if HARD <= HUGE:
    skip(f"the hard limit of descriptors is only {HARD}")

M = tool("misbehave")
CONFIG = f"[service:web]\ncommand = {M} identity {{dir}}/web forever\n"

for soft, expected in ((HARD, 1024), (HUGE, HUGE), (100, 100)):
    with Init(config=CONFIG, setup=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, HARD))) as init:
        equal(init.json("web")["limits"][str(resource.RLIMIT_NOFILE)], [expected, HARD], f"limits from {soft}")
