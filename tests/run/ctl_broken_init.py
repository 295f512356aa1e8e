# SPDX-License-Identifier: MIT
"""Whatever an init answers, or does not, musterctl ends in time, says why, and with the right code."""

import time

from ctllib import (DONE, FAILED, LOGS, LOST, NOT_FOUND, PING, REFUSED, UNKNOWN, FakeInit, line, message,
                    service)
from lib import check, contains, equal

ANSWERS = [
    # what init sends, exit code, a part of what is said
    ([message(DONE)], 0, ""),
    ([message(REFUSED, b"you are 1000")], 5, "you are 1000"),
    ([message(REFUSED)], 5, "not permitted"),
    ([message(NOT_FOUND, b"there is no web")], 3, "there is no web"),
    ([message(FAILED, b"first\nsecond line")], 1, "first\nsecond line"),
    ([message(FAILED, b"x" * 4000)], 1, "x" * 4000),
    ([message(UNKNOWN)], 1, "does not know"),
    ([message(77)], 6, "unexpected answer 77"),
    ([], 6, "closed the connection"),
    ([b"short"], 6, "no message of this version"),
    ([message(DONE, version=2)], 6, "no message of this version"),
    ([message(DONE, b"abc", size=4)], 6, "no message of this version"),
    ([message(DONE, b"x" * 5000)], 6, "no message of this version"),
    ([b"\xff" * 64], 6, "no message of this version"),
]


def answers_of_all_kinds():
    for packets, code, said in ANSWERS:
        with FakeInit([service("web")], lambda kind, body, packets=packets: packets) as init:
            result = init.ctl("start", "--no-wait", "web")
            equal(result.returncode, code, f"exit code for {packets!r}")
            contains(result.stderr, said, f"what is said to {packets!r}")


def lines_that_end_too_early():
    def answer(kind, _body):
        return [line(b"web", b"first"), None] if kind == LOGS else [message(DONE)]

    with FakeInit([service("web")], answer) as init:
        result = init.ctl("logs", "web")
        equal(result.stdout, "first\n", "what came")
        equal(result.returncode, 6, "exit code when the answer has no end")
        result = init.ctl("logs", "-f", "web")
        equal((result.returncode, result.stdout), (0, "first\n"), "the end is the end with -f")


def lines_that_were_lost_are_said():
    def answer(_kind, _body):
        return [message(LOST, (5).to_bytes(8, "little")), message(LOST, b"x"), line(b"web", b"on"),
                message(69, b"odd"), message(DONE)]

    with FakeInit([service("web")], answer) as init:
        result = init.ctl("logs", "web")
        contains(result.stderr, "5 lines were gone", "what is said")
        equal(result.stdout, "on\n", "what is left")
        equal(result.returncode, 6, "exit code for a message that is none of lines")


def one_that_does_not_answer():
    silent = []

    def answer(kind, _body):
        silent.append(kind)
        time.sleep(30)  # longer than any patience; the thread ends with the test

    with FakeInit([service("web")], answer) as init:
        begin = time.monotonic()
        result = init.ctl("health", "--live")
        equal(result.returncode, 1, "exit code of health --live")
        contains(result.stdout, "does not answer", "what health says")
        result = init.ctl("stop", "--no-wait", "web")
        equal(result.returncode, 4, "exit code of stop")
        contains(result.stderr, "does not answer", "what stop says")
        check(time.monotonic() - begin < 25, "it takes no longer than its patience")
        equal(silent[0], PING, "what health asks")


def one_that_is_gone():
    with FakeInit([service("web")], listen=False, pid=0) as init:
        for words, code in [(["start", "web"], 6), (["logs"], 6), (["events"], 6), (["reload"], 6),
                            (["shutdown"], 6), (["wait"], 6), (["status"], 6), (["health"], 1),
                            (["top", "--once", "--interval", "1ms"], 6),
                            (["health", "--live"], 1)]:
            equal(init.ctl(*words).returncode, code, f"exit code of {words}")
        contains(init.ctl("status").stdout, "ended", "the last page is shown")
        (init.dir / "status").unlink()
        for words, code in [(["status"], 6), (["wait"], 6), (["wait", "--timeout", "50ms"], 6),
                            (["health"], 1), (["graph", "-c", "/nonexistent"], 1)]:
            equal(init.ctl(*words).returncode, code, f"exit code of {words} without a page")
        (init.dir / "status").write_bytes(b"MUSTERST" + bytes(400))
        equal(init.ctl("status").returncode, 6, "exit code for a page of another version")


answers_of_all_kinds()
lines_that_end_too_early()
lines_that_were_lost_are_said()
one_that_does_not_answer()
one_that_is_gone()
