#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The number of system calls does not depend on RLIMIT_NOFILE: no loop over descriptors."""
import resource

from lib import Init, equal, need

STRACE = need("strace")
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def calls(nofile):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, HARD))

    with Init("--", "true", pid1=False, setup=limit,
              prefix=[STRACE, "-f", "-q", "-o", "{dir}/trace", "--signal=none"]) as init:
        equal(init.wait(), 0, "exit code")
        return sum(1 for line in init.read("trace").splitlines() if "resumed>" not in line)


equal(calls(HARD), calls(64), "system calls with the largest and with a small limit")
