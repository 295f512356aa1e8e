# SPDX-License-Identifier: MIT
"""A sidecar that has just begun, or stood still, does not tell from the page that a service is ready which should have
been checked since: first it checks."""
import os
import signal
import socket
import threading
import time

from lib import contains, equal, proc_state, until
from sidecarlib import Page, Sidecar

STANDS_STILL = 3  # seconds: more than a period, stretched to its fourfold, and the second that a busy machine may be late


class Web(threading.Thread):
    """Takes connections while it is open; else its queue is full, and who comes waits."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.listener.settimeout(0.02)
        self.address = self.listener.getsockname()
        self.crowd, self.lock = [], threading.Lock()
        self.start()

    def run(self):
        while True:
            with self.lock:
                try:
                    self.listener.accept()[0].close()
                except TimeoutError:
                    pass
            time.sleep(0.001)  # a lock is not fair

    def close(self):
        self.lock.acquire()  # pylint: disable=consider-using-with
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(self.address)
            self.crowd.append(client)

    def open(self):
        while self.crowd:
            self.crowd.pop().close()
        self.lock.release()


def answers(sidecar):
    """Status and body of what is asked about readiness."""
    return {path: (answer.status, answer.text) for path in ("/readyz", "/readyz/web", "/health", "/readyz?exclude=web", "/livez")
            for answer in [sidecar.get(path)]}


def doubted(sidecar, what):
    found = answers(sidecar)
    equal([answer[0] for answer in found.values()], [503, 503, 503, 200, 200], f"{what}: {found}")
    for path in ("/readyz", "/readyz/web", "/health"):
        contains(found[path][1], "not checked since the sidecar stood still", path)
    contains(sidecar.get("/metrics").text, "\nmuster_ready 0\n", "the metric says what /readyz does")
    answer = sidecar.get("/status")
    equal(answer.json()["ready"], False, "so does /status")
    return answer.headers["ETag"]


def trusted(sidecar, what, tag=None):
    until(lambda: [answer[0] for answer in answers(sidecar).values()] == [200] * 5, lambda: f"{what}: {answers(sidecar)}", 60)
    contains(sidecar.get("/metrics").text, "\nmuster_ready 1\n", "the metric says what /readyz does")
    equal(sidecar.get("/status", If_None_Match=tag or '""').json()["ready"], True, "so does /status, to who saw it before, too")


def stands_still(sidecar, web):
    """Whether it did so while no check was under way, which would be done at once."""
    os.kill(sidecar.pid, signal.SIGSTOP)
    until(lambda: proc_state(sidecar.pid) == "T", "it stands still")
    web.close()
    time.sleep(STANDS_STILL)
    os.kill(sidecar.pid, signal.SIGCONT)
    if sidecar.get("/readyz").status == 503:
        return True
    web.open()
    trusted(sidecar, "a check was under way")
    return False


def main():
    web = Web()
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "web", "state": "ready"}, {"name": "other", "state": "ready"}], phase="ready")
        trusted(sidecar, "nothing is to be checked")
        web.close()
        sidecar.watch(1, f"tcp://127.0.0.1:{web.address[1]}", period=200, timeout=60000)
        until(lambda: sidecar.get("/readyz").status == 503, "a sidecar before this one knew it")
        tag = doubted(sidecar, "a sidecar before this one knew it")
        web.open()
        trusted(sidecar, "checked", tag)
        until(lambda: stands_still(sidecar, web), "it stands still between two checks", 100)
        tag = doubted(sidecar, "it stood still")
        web.open()
        trusted(sidecar, "checked again", tag)


main()
