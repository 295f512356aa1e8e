#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures muster against floors of our own and against other inits, in turns.

bench.py all                 everything below, in this order
bench.py MEASUREMENT...      wrap memory signal start workers reference adaptive restart confine stop
                             idle reap lines http metrics sidecar resolve dns forward
bench.py start=GRAPH         one graph only (graphs.py lists them)
bench.py report [DIRECTORY]  writes benchmarks.md, its data and its pictures there (docs) from the newest
                             results

Environment: BUILD (where the programs are), QUICK=1 (fewer rounds), DINIT=path.
Results are added to $BUILD/bench/results.jsonl.
"""
import pathlib
import sys
import time

import adaptive
import exporting
import graphs
import lib
import passing
import printing
import reference
import report
import resolving
import serving
import supervising
import workers
import wrapping


def memory():
    """Memory of both modes."""
    wrapping.memory()
    supervising.memory()


MEASUREMENTS = {"wrap": wrapping.wrap, "memory": memory, "signal": wrapping.signals,
                "start": supervising.start, "workers": workers.workers, "reference": reference.reference,
                "adaptive": adaptive.adaptive, "restart": supervising.restart,
                "confine": supervising.confine,
                "stop": supervising.stop, "idle": supervising.idle, "reap": wrapping.reap,
                "lines": printing.lines, "http": serving.http, "metrics": exporting.metrics,
                "sidecar": exporting.sidecar, "resolve": resolving.resolve,
                "dns": passing.dns, "forward": passing.forward}


def find_measurement(word):
    """The function for a word of the command line."""
    if word in MEASUREMENTS:
        return MEASUREMENTS[word]
    name, _, graph = word.partition("=")
    if name == "start" and graph in graphs.GRAPHS:
        return lambda: supervising.start([graph])
    sys.exit(f"bench: no such measurement: '{word}' (there are {', '.join(MEASUREMENTS)})")


def run(word, measurement):
    lib.say(f"\n== {word}")
    begin = time.monotonic()
    try:
        measurement()
    except lib.Skip as reason:
        lib.skipped(word, reason)
    except lib.Failure as failure:
        lib.failed(failure)
    lib.say(f"  ({time.monotonic() - begin:.0f} s)")


def main(words):
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if words else 2
    if words[0] == "report":
        report.write(pathlib.Path(words[1]) if len(words) > 1 else lib.ROOT / "docs")
        return 0
    words = list(MEASUREMENTS) if words == ["all"] else words
    measurements = [(word, find_measurement(word)) for word in words]
    for word, measurement in measurements:
        run(word, measurement)
    return 1 if lib.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
