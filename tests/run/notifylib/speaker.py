# SPDX-License-Identifier: MIT
"""A service that says by sd_notify what the test wants, when the test wants it.

speaker.py PATH, run by muster-init, takes orders at the unix socket PATH and answers each when it
is done; Speaker(PATH), in the test, gives them. Orders and answers are JSON, one a connection.
"""
import json
import os
import pathlib
import signal
import socket
import sys

PATIENCE = 30


class Speaker:
    def __init__(self, path):
        self.path = str(path)

    def order(self, fds=(), **order):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
            link.settimeout(PATIENCE)
            link.connect(self.path)
            socket.send_fds(link, [json.dumps(order).encode()], list(fds))
            return json.loads(link.recv(1 << 20) or b"null")

    def say(self, text, fds=(), times=1, wait=True):
        """Sends the datagram, then, with `wait`, waits until all of it has been taken."""
        answer = self.order(fds, do="say", text=text, times=times, wait=wait)
        # what it said may have ended it before it could answer
        if answer != "said" and (wait or answer is not None):
            raise RuntimeError(f"{text!r}: {answer}")

    def environment(self):
        return self.order(do="environment")

    def descriptors(self):
        """What lies behind 3 and up to LISTEN_FDS: (name, what it is)."""
        return [tuple(pair) for pair in self.order(do="descriptors")]

    def pid(self):
        return self.order(do="pid")

    def child(self, path, session=False):
        """Forks; the child takes orders at `path`. Its pid, as the service sees it."""
        return self.order(do="child", path=str(path), session=session)

    def exit(self, code):
        self.order(do="exit", code=code)


def notify_socket():
    name = os.environ["NOTIFY_SOCKET"]
    return "\0" + name[1:] if name[0] == "@" else name


def barrier():
    """As sd_notify_barrier(3) does it."""
    near, far = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.connect(notify_socket())
        socket.send_fds(link, [b"BARRIER=1"], [far])
    os.close(far)
    os.read(near, 1)  # until the last copy of the other end is closed
    os.close(near)


def say(order, fds):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        try:
            link.connect(notify_socket())
            for _ in range(order["times"]):
                socket.send_fds(link, [order["text"].encode("latin-1")], fds)
        except OSError as error:
            return str(error)
    if order["wait"]:
        barrier()
    return "said"


def descriptors():
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return list(zip(names, [os.readlink(f"/proc/self/fd/{3 + i}") for i in range(count)],
                    strict=True))


def serve(path):
    pathlib.Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path + ".new")
    listener.listen(16)
    os.rename(path + ".new", path)
    while True:
        link, _ = listener.accept()
        data, fds, _, _ = socket.recv_fds(link, 1 << 20, 250)
        order = json.loads(data)
        answer = None
        if order["do"] == "say":
            answer = say(order, fds)
        elif order["do"] == "environment":
            answer = dict(os.environ)
        elif order["do"] == "descriptors":
            answer = descriptors()
        elif order["do"] == "pid":
            answer = os.getpid()
        elif order["do"] == "child":
            answer = os.fork()
            if answer == 0:
                if order["session"]:
                    os.setsid()
                link.close()
                listener.close()
                serve(order["path"])
        elif order["do"] == "exit":
            link.send(b"null")
            os._exit(order["code"])
        for fd in fds:
            os.close(fd)
        link.send(json.dumps(answer).encode())
        link.close()


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    serve(sys.argv[1])
