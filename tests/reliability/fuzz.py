#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What fuzzing was done: the figures of tests/fuzz/campaigns.json, which `scripts/fuzz --record` adds to."""
import json
import re

from report import ROOT, Section

FUZZ = ROOT / "tests" / "fuzz"
FOUND = [
    "an address book from muster-init in which an address comes twice was written beyond its memory (`sidecar_book`)",
    "an HTTP request with a blank in its target was answered with 200 (`sidecar_http`)",
    "the head of the answer to an HTTP/1.1 request without Host was sent twice, by libmicrohttpd 0.9.75 (`sidecar_http`)",
    "`musterctl convert` wrote carriage returns and other encodings than UTF-8, which `--check` then refuses (`ctl_convert`)",
    "of a text with a question mark before its `://` the query was shown in messages (`sidecar_target`)",
    "a last line of /etc/passwd that ends in a colon, without a newline, was no user (`passwd`)",
    "`musterctl graph` printed control characters in names as they are on the status page (`ctl_view`)",
    "of a status page with a time near 2^64 `musterctl timeline --format=svg` drew lines without end (`ctl_view`)",
]
JUDGED = [
    "a NUL where a CR belongs, or before a request, cannot be seen behind libmicrohttpd, which writes one there itself (`sidecar_http`)",
    "an answer to HEAD has no body, also where an empty line came before the request (`sidecar_http`)",
    "a host with a % in it, in capitals, or with an IPv6 address is another text when libcurl has read it (`sidecar_target`)",
    "a message that was never sent has no effect (`sidecar_channel`)",
]


def purpose(name):
    """The first sentence of an entry's comment."""
    text = re.search(r"/\*(?! SPDX)(.*?)\*/", (FUZZ / f"{name}.c").read_text(encoding="utf-8"), re.S).group(1)
    return re.sub(r"[\s*]+", " ", text).strip().split(". ")[0].split(";")[0].rstrip(".")


def count(number):
    return f"{number:,}".replace(",", " ")


section = Section("Fuzzing", """Each entry of tests/fuzz takes bytes for what a user, a service, a sidecar, the kernel
or somebody in the network says, and states what holds of what comes out, under address and undefined-behaviour
sanitizers, with arenas in which each piece is an allocation of its own. init_life is the whole of PID 1 with made-up
processes, signals and time: after any input its shutdown must end. Measured beside other work, two entries at a time at
most, at the lowest priority; the figures are sums over all campaigns (tests/fuzz/campaigns.json). The seeds are played by make
test; make fuzz SECONDS=3600 runs each entry for an hour.""")
engines = json.loads((FUZZ / "campaigns.json").read_text(encoding="utf-8"))
entries = sorted(path.stem for path in FUZZ.glob("*.c"))
for engine, title in (("libfuzzer", "libFuzzer"), ("afl", "AFL++")):
    done = engines.get(engine, {})
    rows = [[f"`{name}`: {purpose(name)}", *(count(done[name][key]) for key in ("seconds", "runs", "edges", "corpus", "found"))]
            for name in entries if name in done]
    if rows:
        section.say(f"With {title}:")
        section.table(["entry: the bytes are", "seconds", "executions", "edges reached", "inputs kept", "inputs that ended it"], rows)
done = [entry for kind in engines.values() for entry in kind.values()]
runs = sum(entry["runs"] for entry in done)
section.say("Found by the entries and mended, each with its input among the seeds: " + "; ".join(FOUND) + ".")
section.say("What else ended an entry in these campaigns was judged to be no fault of muster's, and what the entry expects "
            "was put right: " + "; ".join(JUDGED) + ".")
missing = set(entries) - set(engines["libfuzzer"])
section.goal("executions in all", "1 000 000 000", count(runs), runs >= 1_000_000_000,
             "crun: 600 s in 10 modes; dinit: 21 000 s a run; systemd: 40 targets, continuously (published)")
section.goal("seconds of the entry that ran least", "3 600", count(min(entry["seconds"] for entry in engines["libfuzzer"].values())),
             min(entry["seconds"] for entry in engines["libfuzzer"].values()) >= 3600)
section.goal("entries without a campaign", "0", len(missing), not missing)
section.finish()
