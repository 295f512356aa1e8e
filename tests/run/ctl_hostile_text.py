# SPDX-License-Identifier: MIT
"""Names and reasons from anywhere cannot drive the terminal and never break the JSON."""

import json

from ctllib import CAUSE, DONE, EVENTS, FakeInit, event, message, service
from lib import check, equal

REASON = b'\x1b[2J"quote" \\ back\nnew\ttab \x9b31m \xff\xfe'
NAME = b'na\x1b]0;me"\\'


def harmless(text, what):
    bad = [c for c in text if (ord(c) < 32 and c != "\n") or 0x7f <= ord(c) < 0xa0]
    check(not bad, f"{what} holds {bad!r}")


def answer(kind, _body):
    if kind == EVENTS:
        return [message(DONE), event(NAME, "running", "failed", REASON), None]
    return [message(DONE)]


services = [service(NAME, "failed", reason=REASON), service("b", "waiting", cause=0, flags=7 | CAUSE),
            service(b"x" * 64, "backoff", cause=9, flags=7 | CAUSE, reason=b"y" * 72)]
edges = [(1, 0, 1, 0), (2, 77, 200, 1), (1, 2, 9, 1)]
with FakeInit(services, answer, edges=edges, phase="degraded", host=b"\x1b[31mhost" * 7) as init:
    for words in [["status"], ["status", "b"], ["health"], ["wait"], ["timeline"], ["graph"], ["events"],
                  ["top", "--once", "--interval", "10ms"]]:
        result = init.ctl(*words)
        check(result.returncode in (0, 1), f"exit code {result.returncode} of {words}: {result.stderr}")
        if words != ["graph"]:
            harmless(result.stdout, f"the output of {words}")
            harmless(result.stderr, f"what {words} says")
    status = json.loads(init.ctl("status", "--json").stdout)
    equal(status["services"][0]["name"], 'na\x1b]0;me"\\', "a name")
    equal(status["services"][0]["reason"],
          '\x1b[2J"quote" \\ back\nnew\ttab \ufffd31m \ufffd\ufffd', "a reason")
    equal(status["services"][1]["cause"], 'na\x1b]0;me"\\', "a cause")
    equal(status["services"][2]["cause"], None, "a cause that is none")
    equal(len(status["services"][2]["name"]), 63, "a name without an end")
    change = json.loads(init.ctl("events", "--json").stdout)
    equal(change["reason"], status["services"][0]["reason"], "the reason of an event")
    json.loads(init.ctl("timeline", "--format", "json").stdout)
