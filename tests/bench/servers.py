# SPDX-License-Identifier: MIT
"""Servers to compare with, each for as long as it is needed, and who asks them."""
import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request

import cgroup
import inits
import lib

LIMIT = 20  # seconds until the first answer

NGINX = """daemon off;
worker_processes 1;
pid {directory}/pid;
error_log stderr crit;
events {{ worker_connections 512; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        {listens}
        location / {{ return 200 "ok\\n"; }}
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def on_cpu(index):
    """A function for a child to stay on one CPU: who answers on the first, who asks on the last."""
    cpus = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cpus[index]})


def alone_on_cpu(index):
    """The same, in the cpu cgroup of what is measured."""
    cgroup.make()
    return lambda: (cgroup.enter(), on_cpu(index)())


# ---- whether one is there ----

def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def answers(url):
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status == 200
    return False


def wait_for(what, probe, gone=lambda: False):
    """Until probe() holds; Skip where it never does."""
    deadline = time.monotonic() + LIMIT
    while not probe():
        if gone() or time.monotonic() > deadline:
            raise lib.Skip(f"{what} does not answer")
        time.sleep(0.05)


# ---- while they run ----

@contextlib.contextmanager
def directory():
    path = lib.temporary_directory()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def running(*command, probe, pin=None):
    """pid of a server; `probe()` says whether it answers, `pin` is called in the child."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pin)
    try:
        wait_for(command[0], probe, lambda: process.poll() is not None)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nginx(ports, pin):
    """pid of one that answers 200 at all these ports."""
    program = inits.find_program("nginx", "nginx-light")
    with directory() as work:
        listens = " ".join(f"listen 127.0.0.1:{port};" for port in ports)
        config = work / "nginx.conf"
        config.write_text(NGINX.format(directory=work, listens=listens), encoding="ascii")
        with running(program, "-e", "stderr", "-c", str(config), probe=lambda: accepts(ports[-1]), pin=pin) as pid:
            yield pid


def find_sidecar():
    program = lib.BUILD / "muster-sidecar"
    if not program.exists():
        raise lib.Skip(f"{program} is not built (make)")
    return str(program)
