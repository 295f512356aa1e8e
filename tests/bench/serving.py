# SPDX-License-Identifier: MIT
"""The sidecar as a web server: /livez and /readyz against nginx, the same load in turns; and how long an
answer takes at half of the load that each bears, asked at a fixed pace (pace.c)."""
import contextlib
import re
import subprocess

import graphs
import inits
import lib
import servers
from running import Run

CONNECTIONS = 32


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
def nginx():
    """(URL, pid to account to) while it runs."""
    port = servers.free_port()
    with servers.nginx([port], servers.alone_on_cpu(0)) as pid:
        yield f"http://127.0.0.1:{port}", pid


@contextlib.contextmanager
def sidecar():
    servers.find_sidecar()
    port = servers.free_port()
    with Run(WithSidecar(port), graphs.flat(1), pin=servers.on_cpu(0)) as run:
        run.wait_ready()
        yield f"http://127.0.0.1:{port}", run.pid


def load(wrk, url, pid):
    """One second: (requests, server's processor time for each in µs)."""
    before = lib.processor_ns(lib.split_tree(pid)[0])
    output = subprocess.run([wrk, "-t1", f"-c{CONNECTIONS}", "-d1s", url], check=True,
                            stdout=subprocess.PIPE, text=True, preexec_fn=servers.on_cpu(-1)).stdout
    spent = lib.processor_ns(lib.split_tree(pid)[0]) - before
    rate = float(re.search(r"Requests/sec:\s*([0-9.]+)", output).group(1))
    requests = int(re.search(r"([0-9]+) requests in", output).group(1))
    if not requests or "Non-2xx" in output or "Socket errors" in output:
        raise lib.Skip(f"errors from {url}, or nothing in a second: {output}")
    return rate, spent / 1e3 / requests


def paced(url, rate):
    """Half a second at that rate: (median, 99th percentile) of the time of an answer in µs."""
    address, port, path = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)", url).groups()
    output = subprocess.run([lib.tool("pace"), address, port, path, str(CONNECTIONS), f"{rate:.0f}", "0.5"], check=True,
                            stdout=subprocess.PIPE, text=True, preexec_fn=servers.on_cpu(-1)).stdout
    times = sorted(map(int, output.split()))
    return times[len(times) // 2], times[len(times) * 99 // 100]


def http():
    """/livez and /readyz of the sidecar against `return 200` of nginx, over connections that stay open."""
    wrk = inits.find_program("wrk", "wrk")
    with contextlib.ExitStack() as stack:
        other, other_pid = stack.enter_context(nginx())
        own, own_pid = stack.enter_context(sidecar())
        asked = {"nginx": (f"{other}/livez", other_pid), "/livez": (f"{own}/livez", own_pid),
                 "/readyz": (f"{own}/readyz", own_pid)}
        for url, _ in asked.values():
            servers.wait_for(url, lambda url=url: servers.answers(url))
        turns = lib.rounds(15, 4)
        results = lib.take_turns({name: (turns, lambda url=url, pid=pid: load(wrk, url, pid))
                                  for name, (url, pid) in asked.items()}, back_and_forth=True)
        rates = {name: [one[0] for one in found] for name, found in results.items()}
        times = lib.take_turns({name: (turns, lambda url=url, name=name: paced(url, lib.stat(rates[name])["median"] / 2))
                                for name, (url, _) in asked.items()}, back_and_forth=True)
    rows = {name: {"rate": lib.stat(rates[name]),
                   "cpu_us": lib.stat([r[1] for r in found]),
                   "of_nginx": lib.ratios(rates[name], rates["nginx"]),
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
