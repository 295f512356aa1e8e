# SPDX-License-Identifier: MIT
"""Those who follow /events take few places and no memory without bound: there are 32 of them, one that
goes is noticed at once, one that does not read is ended, and none of them is in the way of others."""

import contextlib
import socket

from lib import SECONDS, check, equal, until
from sidecarlib import Page, Sidecar, own_memory
from sidecarlib.events import ControlSocket, Stream

PLACES = 32


def open_all(stack, sidecar):
    return [stack.enter_context(Stream(sidecar)) for _ in range(PLACES)]


def refused(sidecar):
    with Stream(sidecar) as stream:
        if stream.status == 200:
            return False
        equal((stream.status, stream.header("retry-after")), (503, "10"), "one too many")
        return True


def check_places(sidecar, init):
    with contextlib.ExitStack() as stack:
        streams = open_all(stack, sidecar)
        init.accept()
        for _ in range(3):
            check(refused(sidecar), "32 streams are open")
        sidecar.alive()
        equal(sidecar.request("/events", "HEAD").status, 200, "HEAD needs no place")
        # one that goes has left its place before the next one comes
        for stream in streams[:5]:
            stream.socket.close()
        stack.enter_context(until(lambda: admitted(sidecar), "a place is free again"))
        # half a close is a close: a client that has said its last word does not read events either
        streams[6].socket.shutdown(socket.SHUT_WR)
        until(streams[6].ended, "the end of a stream whose client has ended")
        init.event("db", "ready", reason="for all")
        for stream in streams[7:]:
            stream.wait(lambda: any("for all" in event["data"] for event in stream.queue), "the event")  # noqa: B023
    until(lambda: not refused(sidecar), "all places are free again")


def admitted(sidecar):
    stream = Stream(sidecar)
    if stream.status == 200:
        return stream
    stream.socket.close()
    return None


def check_slow_reader(sidecar, init):
    """Events are kept for a while for one who does not read, then it has to go; others get them all."""
    with Stream(sidecar, receive=2048) as slow, Stream(sidecar) as quick:
        quick.wait(lambda: quick.last, "the opening")
        before = own_memory(sidecar.pid)
        for number in range(20000):
            init.event("db", "ready", reason=f"{number} {'x' * 50}")
            if number % 50 == 0:
                quick.wait(lambda: any(f'"{number} x' in event["data"] for event in quick.queue), "an event")  # noqa: B023
                quick.queue.clear()
        sidecar.alive()
        check(not quick.closed, "who reads goes on")
        grown = own_memory(sidecar.pid) - before
        check(grown < 2000, f"{grown} kB more for events that nobody takes")
        until(slow.ended, "one that does not read is ended", SECONDS + 30)


def check_beats(sidecar):
    """Without any event a comment comes now and then, so that a dead network is noticed."""
    with Stream(sidecar) as stream:
        stream.wait(lambda: stream.beats, "a comment", SECONDS + 30)
        check(not [event for event in stream.queue if event["event"] != "reset"], "a comment is no event")


def main():
    with Sidecar() as sidecar, ControlSocket(sidecar.run_dir) as init:
        Page(sidecar.run_dir, [{"name": "db"}], phase="ready")
        check_places(sidecar, init)
        check_slow_reader(sidecar, init)
        check_beats(sidecar)
        with contextlib.ExitStack() as stack:
            open_all(stack, sidecar)
            sidecar.process.terminate()
            equal(sidecar.wait(), 0, "exit code while 32 follow")


main()
