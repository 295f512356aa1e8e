# SPDX-License-Identifier: MIT
"""/events tells what init says, in order and with numbers, by which a client that was cut off goes on
where it was; what may have been missed is told as a reset. Init is asked only while somebody listens."""

import json

from lib import SECONDS, check, contains, equal, until
from sidecarlib import INTERNAL, Page, Sidecar, at_rest, switches
from sidecarlib.events import ADDRESS, LOST, SYSTEM, ControlSocket, Stream


def data(stream, event):
    told = stream.next()
    equal(told["event"], event, f"kind of {told}")
    return json.loads(told["data"])


def begin(sidecar, init, **options):
    """A stream, and the subscription that it makes."""
    stream = Stream(sidecar, **options)
    init.accept()
    contains(data(stream, "reset")["reason"], "not followed", "why")
    return stream


def check_events(sidecar, init):
    check(not init.is_asked(), "init is not asked while nobody listens")
    with begin(sidecar, init) as stream:
        equal((stream.status, stream.header("content-type"), stream.header("cache-control"), stream.retry),
              (200, "text/event-stream", "no-store", "3000"), "head")
        init.event("db", "starting")
        init.event("muster-sidecar", "ready", index=1)
        init.event("db", "unhealthy", reason='said "no"\n\xe9')
        told = data(stream, "state")
        equal((told["service"], told["state"], told["reason"], told["ready"]), ("db", "starting", None, False), "state")
        check(told["time"].endswith("Z"), told["time"])
        told = data(stream, "state")
        equal((told["state"], told["reason"]), ("unhealthy", 'said "no"\n\xe9'), "a reason that is not plain")
        init.event("", "degraded", index=SYSTEM)
        equal(data(stream, "phase")["phase"], "degraded", "phase")
        init.event("redis", "", index=ADDRESS, reason="10.0.0.1:6379")
        told = data(stream, "address")
        equal((told["address"], told["place"]), ("redis", "10.0.0.1:6379"), "address")
        first = int(stream.last)
        for number in range(100):
            init.event("db", "ready" if number % 2 else "unhealthy", reason=str(number))
        for number in range(100):
            event = stream.next()
            equal((int(event["id"]), json.loads(event["data"])["reason"], json.loads(event["data"])["ready"]),
                  (first + 1 + number, str(number), bool(number % 2)), "in order, none lost")
    return first


def check_resume(sidecar, init, first):
    with Stream(sidecar, last=first + 40) as stream:
        equal([json.loads(stream.next()["data"])["reason"] for _ in range(59)], [str(n) for n in range(41 - 1, 99)],
              "goes on behind the last that it has")
    for last in (first - 10**9, 1, first + 10**9, "x", "-1", "9" * 40):
        with Stream(sidecar, last=last) as stream:
            equal((stream.next()["event"], int(stream.last)), ("reset", first + 100), f"Last-Event-ID: {last}")
            init.event("db", "ready", reason=f"after {last}")
            first += 1
            equal(data(stream, "state")["reason"], f"after {last}", "goes on")
    with Stream(sidecar) as stream:
        stream.wait(lambda: stream.last, "the opening")
        init.event("db", "ready", reason="new")
        equal(data(stream, "state")["reason"], "new", "without Last-Event-ID: what comes from now on")
        last = int(stream.last)
    with Stream(sidecar) as stream:
        for _ in range(300):
            init.event("db", "ready")
        init.event("db", "ready", reason="the last")
        stream.wait(lambda: any("the last" in event["data"] for event in stream.queue), "all are taken")
    with Stream(sidecar, last=last) as stream:
        equal(stream.next()["event"], "reset", "gone on for too long")


def check_trouble(sidecar, init):
    """Whatever may have been missed is told."""
    with Stream(sidecar) as stream:
        stream.wait(lambda: stream.last, "the opening")
        before = int(stream.last)
        init.send(LOST, (7).to_bytes(8, "little"))
        contains(data(stream, "reset")["reason"], "too fast", "lost by init")
        init.hang_up()
        init.accept()
        contains(data(stream, "reset")["reason"], "not followed", "another subscription")
        init.send(99, b"nonsense")
        init.hang_up()
        init.accept()
        contains(data(stream, "reset")["reason"], "not followed", "an init that is not understood")
    with Stream(sidecar, last=before) as stream:
        equal(stream.next()["event"], "reset", "one that was away meanwhile")


def check_forms(sidecar):
    with Stream(sidecar, version="1.0") as stream:
        check(not stream.chunked, "HTTP/1.0 knows no chunks")
        stream.wait(lambda: stream.last, "HTTP/1.0")
    with Stream(sidecar, method="HEAD") as stream:
        equal((stream.status, stream.header("content-type")), (200, "text/event-stream"), "HEAD")
        stream.wait_end()
        equal((stream.chunked, stream.text), (False, b""), "HEAD: nothing behind the head, not even a last chunk")
    equal(sidecar.request("/events", "POST").status, 405, "POST")


def check_rest(sidecar, init):
    """Nobody listens: the subscription ends after a while, and nothing happens any more."""
    until(init.is_left, "the subscription ends", 2 * SECONDS + 60)
    init.hang_up()
    before = at_rest(sidecar.pid)
    check(switches(sidecar.pid) - before <= 1, "it sleeps")
    begin(sidecar, init).socket.close()


def main():
    with Sidecar() as sidecar, ControlSocket(sidecar.run_dir) as init:
        Page(sidecar.run_dir, [{"name": "db"}, {"name": "muster-sidecar", "flags": INTERNAL}], phase="ready")
        first = check_events(sidecar, init)
        check_resume(sidecar, init, first)
        check_trouble(sidecar, init)
        check_forms(sidecar)
        check_rest(sidecar, init)
        sidecar.process.terminate()
        equal(sidecar.wait(), 0, "exit code")


main()
