# SPDX-License-Identifier: MIT
"""A peer's lies are bounded: whatever it answers, it is either taken as a whole or not at all, the reason is
said, what was known before stays, and nothing here changes. All of them at once, then one after a good answer."""

import gzip
import json
import threading
import time

from lib import check, contains, equal, until
from sidecarlib import Page, Sidecar, Target, read_head, resident

GOOD = {"schema": 1, "host": "pc2", "mode": "container", "phase": "ready", "ready": True, "score": 90, "new_field": {"x": [1]},
        "services": [{"name": "redis", "type": "service", "state": "ready", "ready": True, "pid": 7,
                      "depends_on": [{"name": "address:x"}, {"name": "db"}]},
                     {"name": "db", "state": "surprised", "ready": False, "pid": None}, {"name": "address:x", "state": "ready"}]}


def http(body, *headers, status="200 OK", length=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def but(**values):
    return http(GOOD | values)


def service(**values):
    return but(services=[GOOD["services"][0] | values])


def drip(connection):
    """A byte at a time, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 65536)


def endless_head(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Header: " + b"x" * 4000 + b"\r\n")


def interim(connection):
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def chunks(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"8000\r\n" + b" " * 32768 + b"\r\n")


def mute(connection):
    connection.recv(1)


WHOLE = json.dumps(GOOD).encode()
FORM, NAME, KIND = "not JSON", "no name that could be one", "not of its kind"
LIES = {
    "empty": (http(b""), "the answer is empty"),
    "html": (http(b"<html><body>hello</body></html>", "Content-Type: text/html"), FORM),
    "text": (http(b"ok\n"), FORM),
    "gzip": (http(gzip.compress(WHOLE), "Content-Encoding: gzip"), FORM),
    "bomb": (http(gzip.compress(b" " * 2**24), "Content-Encoding: gzip"), FORM),
    "latin1": (http(WHOLE.replace(b"redis", b"r\xe9dis")), FORM),
    "nul": (http(WHOLE[:-1] + b"\0}"), FORM),
    "cut": (http(WHOLE[:100]), FORM),
    "cut short": (http(WHOLE, length=len(WHOLE) + 10), "cut short"),
    "trailing": (http(WHOLE + b"{}"), FORM),
    "deep": (http(b"[" * 100000), FORM),
    "deep whole": (http(b'{"a":' * 5000 + b"1" + b"}" * 5000), FORM),
    "nan": (http(WHOLE.replace(b"90", b"NaN")), FORM),
    "infinite": (http(WHOLE.replace(b"90", b"1e999")), "score is not a number from 0 to 100"),
    "negative": (but(score=-1), "score is not a number from 0 to 100"),
    "large": (but(score=101), "score is not a number from 0 to 100"),
    "comments": (http(b"/* */" + WHOLE), FORM),
    "list": (http([GOOD]), "not an object"),
    "number": (http(b"1"), "not an object"),
    "no services": (http({"schema": 1, "host": "pc2"}), "no list of services"),
    "other schema": (but(schema=2), "schema is of another version"),
    "schema text": (but(schema="1"), KIND),
    "services object": (but(services={}), KIND),
    "services text": (but(services=["redis"]), "a service is not an object"),
    "ready text": (service(ready="yes"), KIND),
    "state number": (service(state=4), KIND),
    "no name": (service(name=None), NAME),
    "name object": (service(name={}), KIND),
    "name long": (service(name="x" * 64), NAME),
    "name script": (service(name="<script>"), NAME),
    "name escaped": (http(WHOLE.replace(b'"redis"', b'"\\u001b[31m"')), NAME),
    "host script": (but(host='"><b>'), "does not say whose status"),
    "host missing": (but(host=None), "does not say whose status"),
    "duplicate key": (http(WHOLE[:-1] + b', "ready": true}'), "a key stands twice"),
    "duplicate service": (but(services=GOOD["services"] * 2), "two services have one name"),
    "deps": (service(depends_on=["db"]), "a dependency is not an object"),
    "many": (but(services=[{"name": f"s{i}", "state": "ready", "ready": True} for i in range(4000)]), "more than 1024 services"),
    "values": (http(b"[" + b"0," * 400000 + b"0]"), "more than 131072 values"),
    "many deps": (service(depends_on=[{"name": "x"}] * 20000), "more than 8192 dependencies"),
    "huge": (http(b" " * (2**20 + 1)), "longer than 1 MiB"),
    "huge said": (http(b"{}", length=2**40), "longer than 1 MiB"),
    "redirect": (http(b"", "Location: http://127.0.0.1:1/", status="302 Found"), "status 302: it wants to send us elsewhere"),
    "redirect file": (http(b"", "Location: file:///etc/passwd", status="301 Moved"), "status 301"),
    "304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", "status 304 though it has sent nothing before"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
    "503": (http(GOOD, status="503 Service Unavailable"), "status 503"),
    "not http": (b"220 mail ESMTP\r\n", "the answer is not HTTP"),
    "closed": (b"", "closed without an answer"),
    "drip": (drip, "timed out"),
    "mute": (mute, "timed out"),
    "endless": (endless, "longer than 1 MiB"),
    "chunks": (chunks, "longer than 1 MiB"),
    "head": (endless_head, "head is too long"),
    "interim": (interim, "head is too long"),
}


class Liar:
    """Answers GET /N/status with lie number N, and of /good with what it is told to."""

    def __init__(self):
        self.lies = list(LIES.values())
        self.good = http(GOOD, 'ETag: "one"')
        self.heads = []
        self.lock = threading.Lock()

    def serve(self, connection):
        head = read_head(connection)
        path = head.split()[1].decode()
        if path.startswith("/good"):
            with self.lock:
                self.heads.append(head.decode())
            connection.sendall(self.good)
            return
        answer = self.lies[int(path.split("/")[1])][0]
        if callable(answer):
            answer(connection)
        else:
            connection.sendall(answer)


def peers(sidecar):
    return {peer["name"]: peer for peer in sidecar.get("/status").json()["peers"]}


def all_at_once(target, liar):
    args = [word for i in range(len(LIES)) for word in ("--peer", f"p{i}/100ms=http://127.0.0.1:{target.port}/{i}")]
    for number, host in (("4", "169.254.169.254"), ("6", "[fe80::1]"), ("m", "[::ffff:169.254.169.254]")):
        args += ["--peer", f"link{number}/100ms=http://{host}:80"]
    with Sidecar(*args, "--host", "here", env={"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}) as sidecar:
        Page(sidecar.run_dir, [{"name": "web", "state": "ready"}], phase="ready")
        ready = sidecar.get("/readyz").status
        until(lambda: all(peer["error"] not in (None, "not asked yet", "no answer yet") for peer in peers(sidecar).values()),
              lambda: f"each is judged: {[name for name, peer in peers(sidecar).items() if not peer['error']]}", 90)
        told = set()  # they are asked again and again, and sometimes all of that takes too long

        def look():
            found = peers(sidecar)
            for i, (name, (_, expected)) in enumerate(LIES.items()):
                peer = found[f"p{i}"]
                if expected in peer["error"]:
                    told.add(name)
                equal((peer["state"], peer["age_seconds"], peer["host"], peer["services"]), ("unknown", None, None, []), name)
            return len(told) == len(LIES)

        until(look, lambda: f"each reason is told; not of {set(LIES) - told}")
        found = peers(sidecar)
        for number in "46m":
            equal(found[f"link{number}"]["error"], "an address of this link only is not asked", "the metadata of a cloud")
        equal(sidecar.get("/readyz").status, ready, "this host is as it was")
        check(resident(sidecar.pid) < 64 * 1024, f"memory is bounded: {resident(sidecar.pid)} kB")
        sidecar.alive()
        print(f"{len(LIES)} lies told apart; {resident(sidecar.pid)} kB resident")


def after_the_truth(target, liar):
    with Sidecar("--peer", f"pc2/300ms=http://127.0.0.1:{target.port}/good", "--host", "here") as sidecar:
        Page(sidecar.run_dir, [{"name": "web", "state": "ready"}], phase="ready")

        def state():
            return peers(sidecar)["pc2"]

        until(lambda: state()["state"] == "ok", "the peer is heard")
        peer = state()
        equal((peer["host"], peer["ready"], peer["score"], peer["error"]), ("pc2", True, 90, None), "what it said")
        equal(peer["services"], [{"name": "db", "state": "unknown", "ready": False}, {"name": "redis", "state": "ready", "ready": True}],
              "its services, without what stands for others")
        until(lambda: "if-none-match: \"one\"" in liar.heads[-1].lower(), "it is asked with its ETag")
        liar.good = b"HTTP/1.1 304 Not Modified\r\nETag: \"one\"\r\n\r\n"
        seen = len(liar.heads)
        until(lambda: len(liar.heads) > seen + 3, "it is asked again")
        until(lambda: (peer := state()) and (peer["state"], peer["error"]) == ("ok", None), "304 renews it")
        liar.good = but(services="none")
        until(lambda: KIND in (state()["error"] or ""), "the reason is said")
        until(lambda: state()["state"] == "stale", "a lie renews nothing")
        equal(state()["services"], peer["services"], "what was known is kept")
        age = state()["age_seconds"]
        until(lambda: state()["age_seconds"] > age, "its age grows")
        liar.good = but(host="pc3")
        until(lambda: state()["state"] == "ok", "it is heard again")
        equal((state()["host"], state()["error"]), ("pc3", "it calls itself pc3"), "another host than expected is shown")
        liar.good = but(host="here")
        until(lambda: state()["host"] == "here", "a loop")
        contains(state()["error"], "this host's own name", "is said")
        sidecar.watch(1, "peer:pc2/redis")
        result = sidecar.wait_result(lambda result: "own name" in result["reason"], "and fulfils no dependency")
        equal(result["ok"], False, "not met")


def main():
    liar = Liar()
    with Target(liar.serve, backlog=256) as target:
        all_at_once(target, liar)
        after_the_truth(target, liar)


main()
