# SPDX-License-Identifier: MIT
"""The sidecar as a web server: /livez and /readyz against nginx, the same load in turns; and how long an
answer takes at half of the load that each bears, asked at a fixed pace (pace.c)."""
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
        yield f"http://127.0.0.1:{port}", process.pid
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
        yield f"http://127.0.0.1:{port}", run.pid


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


def paced(url, rate):
    """Half a second at that rate: (median, 99th percentile) of the time of an answer in µs."""
    address, port, path = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)", url).groups()
    output = subprocess.run([lib.tool("pace"), address, port, path, str(CONNECTIONS), f"{rate:.0f}", "0.5"], check=True,
                            stdout=subprocess.PIPE, text=True, preexec_fn=on_cpu(-1)).stdout
    times = sorted(map(int, output.split()))
    return times[len(times) // 2], times[len(times) * 99 // 100]


def in_turns(items, rounds):
    for turn in range(rounds):
        yield from reversed(items) if turn % 2 else items


def http():
    """/livez and /readyz of the sidecar against `return 200` of nginx, over connections that stay open."""
    wrk = inits.find_program("wrk", "wrk")
    with contextlib.ExitStack() as stack:
        other, other_pid = stack.enter_context(nginx())
        own, own_pid = stack.enter_context(sidecar())
        servers = [("nginx", f"{other}/livez", other_pid), ("/livez", f"{own}/livez", own_pid),
                   ("/readyz", f"{own}/readyz", own_pid)]
        for _, url, _ in servers:
            await_answer(url)
        results = {name: [] for name, _, _ in servers}
        for name, url, pid in in_turns(servers, lib.rounds(15, 4)):
            results[name].append(load(wrk, url, pid))
        rates = {name: lib.stat([one[0] for one in found])["median"] for name, found in results.items()}
        times = {name: [] for name in results}
        for name, url, _ in in_turns(servers, lib.rounds(15, 4)):
            times[name].append(paced(url, rates[name] / 2))
    ratios = {name: [one[0] / nginx_one[0] for one, nginx_one in zip(found, results["nginx"])]
              for name, found in results.items()}
    rows = {name: {"rate": lib.stat([r[0] for r in found]),
                   "cpu_us": lib.stat([r[1] for r in found]),
                   "of_nginx": lib.stat(ratios[name]),
                   "median_us": lib.stat([t[0] for t in times[name]]),
                   "p99_us": lib.stat([t[1] for t in times[name]])} for name, found in results.items()}
    lib.save("http", {"rows": rows},
             [lib.table(f"/livez and /readyz, {CONNECTIONS} connections kept alive; µs at half of that rate",
                        ["server", "requests/s", "min-max", "/ nginx", "min-max", "cpu µs each", "median µs", "p99 µs",
                         "min-max"],
                        [[name, f"{r['rate']['median']:.0f}", lib.spread(r["rate"]),
                          f"{r['of_nginx']['median']:.2f}", lib.spread(r["of_nginx"], 2),
                          f"{r['cpu_us']['median']:.1f}", f"{r['median_us']['median']:.0f}",
                          f"{r['p99_us']['median']:.0f}", lib.spread(r["p99_us"])] for name, r in rows.items()])])
