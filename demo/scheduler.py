# SPDX-License-Identifier: MIT
"""Gives the worker something to do every second; its probe looks for the mark that it sets."""

import time

from shared import Redis, stop_on_term


def main():
    stop_on_term()
    redis = Redis()
    while True:
        tick = redis("INCR", "demo:ticks")
        redis("RPUSH", "demo:jobs", f"tick-{tick}")
        time.sleep(1)


main()
