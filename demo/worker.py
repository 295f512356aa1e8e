# SPDX-License-Identifier: MIT
"""Takes jobs from a Redis list and puts the result where the job says. Says so when it is ready."""

from shared import Redis, say, stop_on_term


def main():
    stop_on_term()
    redis = Redis()
    redis("PING")
    say("worker: ready")
    while True:
        job = redis("BLPOP", "demo:jobs", 0)[1]
        redis("RPUSH", f"demo:result:{job}", job[::-1])
        redis("INCR", "demo:done")


main()
