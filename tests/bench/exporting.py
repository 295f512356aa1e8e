# SPDX-License-Identifier: MIT
"""The sidecar of 84 services that are probed over the network: /metrics against prometheus-node-exporter,
and what the sidecar itself costs."""
import contextlib
import os
import time
import urllib.request

import graphs
import inits
import lib
import servers
import serving
from running import Run

SERVICES = 84
PERIOD = 10  # seconds between two checks of a service
SETTLED = 35  # seconds after which all have been checked again, and the sidecar has given back what it can


class Probed(serving.WithSidecar):
    """Each service has a port of the target, asked in turns by TCP and by HTTP."""

    def __init__(self, port, targets):
        super().__init__(port)
        self.targets = targets

    def section(self, job, service):
        port = self.targets[service.number]
        url = f"tcp://127.0.0.1:{port}" if service.number % 2 else f"http://127.0.0.1:{port}/"
        return super().section(job, service) + f"readiness_probe = {url}\nreadiness_probe_period = {PERIOD}s\n"


@contextlib.contextmanager
def targets():
    """An nginx with a port for each service, on the last processor."""
    ports = []
    while len(ports) < SERVICES:
        ports = list({servers.free_port() for _ in range(2 * SERVICES)})[:SERVICES]
    with servers.nginx(ports, servers.on_cpu(-1)):
        yield ports


@contextlib.contextmanager
def exporter(pin=None):
    """(URL of /metrics, pid of the sidecar) when all its services are ready."""
    servers.find_sidecar()
    port = servers.free_port()
    with targets() as ports, Run(Probed(port, ports), graphs.flat(SERVICES), pin=pin) as run:
        run.wait_ready()
        run.wait(lambda: servers.answers(f"http://127.0.0.1:{port}/readyz"), "all services answer")
        yield f"http://127.0.0.1:{port}/metrics", sidecar_of(run)


def sidecar_of(run):
    found = [pid for pid in lib.tree(run.pid) if os.path.basename(lib.program(pid)) == "muster-sidecar"]
    if len(found) != 1:
        run.fail(f"{len(found)} sidecars")
    return found[0]


@contextlib.contextmanager
def node_exporter():
    program = inits.find_program("prometheus-node-exporter", "prometheus-node-exporter")
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}/metrics"
    with servers.running(program, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", "--web.max-requests=0",
                         probe=lambda: servers.answers(url), pin=servers.alone_on_cpu(0)) as pid:
        yield url, pid


def size_of(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        body = answer.read()
    return len(body), sum(not line.startswith(b"#") for line in body.splitlines())


def metrics():
    """/metrics of the sidecar with 84 services against that of prometheus-node-exporter."""
    wrk = inits.find_program("wrk", "wrk")
    with contextlib.ExitStack() as stack:
        asked = {"node-exporter": stack.enter_context(node_exporter()),
                 "muster-sidecar": stack.enter_context(exporter(servers.on_cpu(0)))}
        sizes = {name: size_of(url) for name, (url, _) in asked.items()}
        results = lib.take_turns({name: (lib.rounds(15, 4), lambda url=url, pid=pid: serving.load(wrk, url, pid))
                                  for name, (url, pid) in asked.items()}, back_and_forth=True)
    rates = {name: [one[0] for one in found] for name, found in results.items()}
    rows = {name: {"rate": lib.stat(rates[name]), "cpu_us": lib.stat([r[1] for r in found]),
                   "of_node_exporter": lib.ratios(rates[name], rates["node-exporter"]), "bytes": sizes[name][0], "samples": sizes[name][1]}
            for name, found in results.items()}
    lib.save("metrics", {"rows": rows},
             [lib.table(f"/metrics, {serving.CONNECTIONS} connections kept alive, {SERVICES} services",
                        ["exporter", "samples", "kB", "requests/s", "min-max", "/ node-exporter", "min-max",
                         "cpu µs each"],
                        [[name, r["samples"], r["bytes"] // 1000, f"{r['rate']['median']:.0f}",
                          lib.spread(r["rate"]), f"{r['of_node_exporter']['median']:.1f}",
                          lib.spread(r["of_node_exporter"], 1), f"{r['cpu_us']['median']:.0f}"]
                         for name, r in rows.items()])])


def memory_of(pid):
    """kB: resident; of that mapped by nobody else; and of that not in a file."""
    rollup = lib.read_fields(f"/proc/{pid}/smaps_rollup")
    return {"rss": rollup["Rss"], "private": rollup["Private_Clean"] + rollup["Private_Dirty"],
            "dirty": rollup["Private_Dirty"]}


def sidecar():
    """Memory of the sidecar, and what it does when nothing happens but its checks."""
    seconds = lib.rounds(60, 20)
    for name in ("muster-init", "muster-sidecar"):
        lib.write_back(lib.BUILD / name)
    with exporter() as (url, pid):
        time.sleep(SETTLED)
        idle = memory_of(pid)
        begin, spent, wakes = time.monotonic(), lib.processor_ns([pid]), lib.wake_ups([pid])
        time.sleep(seconds)
        elapsed = time.monotonic() - begin
        row = {"idle": idle, "cpu_percent": (lib.processor_ns([pid]) - spent) / elapsed / 1e7,
               "wakes": (lib.wake_ups([pid]) - wakes) / elapsed}
        for path in ("/metrics", "/status", "/health", "/"):
            size_of(url.replace("/metrics", path))
        row["asked"] = memory_of(pid)
    lib.save("sidecar", {"rows": {"muster-sidecar": row}},
             [lib.table(f"{SERVICES} services, a check of each every {PERIOD} s; kB",
                        ["sidecar", "RSS", "private", "private, dirty", "RSS, asked for all", "private", "cpu %",
                         "wake-ups/s"],
                        [["muster-sidecar", idle["rss"], idle["private"], idle["dirty"], row["asked"]["rss"],
                          row["asked"]["private"], f"{row['cpu_percent']:.3f}", f"{row['wakes']:.1f}"]])])
