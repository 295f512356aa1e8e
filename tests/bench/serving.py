# SPDX-License-Identifier: MIT
"""The sidecar as a web server: /livez against nginx, the same load in turns."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import cgroup
import graphs
import inits
import lib
from running import Run

CONNECTIONS = 32

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
        listen 127.0.0.1:{port};
        location / {{ return 200 "ok\\n"; }}
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def on_cpu(index):
    """A function for a child to stay on one CPU: the servers on the first, wrk on the last."""
    cpus = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cpus[index]})


def await_answer(url):
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return answer.read()
        except OSError as error:
            if time.monotonic() > deadline:
                raise lib.Skip(f"{url} does not answer: {error}") from error
            time.sleep(0.05)


@contextlib.contextmanager
def nginx():
    """(URL, pid to account to) while it runs."""
    program = inits.find_program("nginx", "nginx-light")
    directory = lib.temporary_directory()
    port = free_port()
    cgroup.make()
    config = directory / "nginx.conf"
    config.write_text(NGINX.format(directory=directory, port=port), encoding="ascii")
    process = subprocess.Popen([program, "-e", "stderr", "-c", str(config)],
                               preexec_fn=lambda: (cgroup.enter(), on_cpu(0)()))
    try:
        yield f"http://127.0.0.1:{port}/livez", process.pid
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


class WithSidecar(inits.Muster):
    """One service, and the sidecar listening on a port of ours."""

    def __init__(self, port):
        super().__init__("muster")
        self.port = port

    def prepare(self, directory, job):
        argv, extra = super().prepare(directory, job)
        with open(directory / "muster.ini", "a", encoding="ascii") as config:
            config.write(f"\n[sidecar]\nlisten = 127.0.0.1:{self.port}\n")
        return argv, extra


@contextlib.contextmanager
def sidecar():
    if not (lib.BUILD / "muster-sidecar").exists():
        raise lib.Skip(f"{lib.BUILD / 'muster-sidecar'} is not built (make)")
    port = free_port()
    with Run(WithSidecar(port), graphs.flat(1), pin=on_cpu(0)) as run:
        run.wait_ready()
        yield f"http://127.0.0.1:{port}/livez", run.pid


def load(wrk, url, pid):
    """One second: (requests, server's processor time for each in µs)."""
    before = lib.processor_ns(lib.split_tree(pid)[0])
    output = subprocess.run([wrk, "-t1", f"-c{CONNECTIONS}", "-d1s", url], check=True,
                            stdout=subprocess.PIPE, text=True, preexec_fn=on_cpu(-1)).stdout
    spent = lib.processor_ns(lib.split_tree(pid)[0]) - before
    rate = float(re.search(r"Requests/sec:\s*([0-9.]+)", output).group(1))
    requests = int(re.search(r"([0-9]+) requests in", output).group(1))
    if "Non-2xx" in output or "Socket errors" in output:
        raise lib.Skip(f"errors from {url}: {output}")
    return rate, spent / 1e3 / requests


def http():
    """/livez of the sidecar against `return 200` of nginx, over connections that stay open."""
    wrk = inits.find_program("wrk", "wrk")
    with contextlib.ExitStack() as stack:
        servers = {"nginx": stack.enter_context(nginx()),
                   "muster-sidecar": stack.enter_context(sidecar())}
        for url, _ in servers.values():
            await_answer(url)
        results = {name: [] for name in servers}
        for turn in range(lib.rounds(15, 4)):
            order = list(servers.items())
            for name, (url, pid) in order[::-1] if turn % 2 else order:
                results[name].append(load(wrk, url, pid))
    ratios = {name: [one[0] / nginx_one[0] for one, nginx_one in zip(found, results["nginx"])]
              for name, found in results.items()}
    rows = {name: {"rate": lib.stat([r[0] for r in found]),
                   "cpu_us": lib.stat([r[1] for r in found]),
                   "of_nginx": lib.stat(ratios[name])} for name, found in results.items()}
    lib.save("http", {"rows": rows},
             [lib.table(f"/livez, {CONNECTIONS} connections kept alive",
                        ["server", "requests/s", "min-max", "/ nginx", "min-max", "cpu µs each"],
                        [[name, f"{r['rate']['median']:.0f}", lib.spread(r["rate"]),
                          f"{r['of_nginx']['median']:.2f}", lib.spread(r["of_nginx"], 2),
                          f"{r['cpu_us']['median']:.1f}"] for name, r in rows.items()])])
