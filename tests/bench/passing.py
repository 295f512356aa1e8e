# SPDX-License-Identifier: MIT
"""What the sidecar does for programs that know nothing of it: names by DNS, beside dnsmasq, and
connections that are passed on, beside direct ones and haproxy. The same load in turns."""
import contextlib
import re
import shutil
import socket
import subprocess
import time

import inits
import lib
from serving import free_port, on_cpu

CONFIG = """[muster]
mode = testing
[sidecar]
listen = 127.0.0.1:{http}
dns = 127.0.0.1:{dns}
dns_upstream = no
[address:cache]
port = {server}
testing = 127.0.0.1
check = no
forward = 127.0.0.1:{forward}
[address:six]
port = 80
testing = [2001:db8::1]
"""
HAPROXY = """global
  nbthread 1
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen cache
  bind 127.0.0.1:{port}
  server one 127.0.0.1:{server}
"""
QUERIES = "cache.muster A\nsix.muster AAAA\ncache.muster AAAA\nsix.muster A\n"


@contextlib.contextmanager
def running(*command, probe, pin=None):
    """A server as long as needed; `probe()` says whether it answers."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=pin)
    try:
        deadline = time.monotonic() + 20
        while not probe():
            if process.poll() is not None or time.monotonic() > deadline:
                raise lib.Skip(f"{command[0]} does not answer")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def sidecar(pin=None):
    """(ports by name, pid) of one that runs alone."""
    program = lib.BUILD / "muster-sidecar"
    if not program.exists():
        raise lib.Skip(f"{program} is not built (make)")
    directory = lib.temporary_directory()
    ports = {name: free_port() for name in ("http", "dns", "server", "forward")}
    (directory / "muster.ini").write_text(CONFIG.format(**ports), encoding="ascii")
    try:
        with running(str(program), "-c", str(directory / "muster.ini"),
                     probe=lambda: accepts(ports["http"]), pin=pin) as pid:
            yield ports, pid
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def dnsmasq(program):
    port = free_port()
    with running(program, "-k", "-C", "/dev/null", "-p", str(port), "--no-resolv", "--no-hosts", "--user=root",
                 "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=", "--local=/muster/",
                 "--host-record=cache.muster,127.0.0.1", "--host-record=six.muster,2001:db8::1",
                 probe=lambda: accepts(port), pin=on_cpu(0)) as pid:
        yield port, pid


def spent(pid):
    return lib.processor_ns([pid]) / 1e3


def ask(dnsperf, queries, port, pid):
    before = spent(pid)
    said = subprocess.run([dnsperf, "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-l", "1", "-c", "4", "-q", "200"],
                          check=True, capture_output=True, text=True, preexec_fn=on_cpu(-1)).stdout
    done = int(re.search(r"Queries completed:\s+(\d+)", said).group(1))
    if "NOERROR" not in said or "NXDOMAIN" in said or "REFUSED" in said:
        raise lib.Skip(f"port {port} answers otherwise: {said}")
    return float(re.search(r"Queries per second:\s+([0-9.]+)", said).group(1)), (spent(pid) - before) / done


def dns():
    """Answers a second for names of two addresses, against dnsmasq's for the same names."""
    perf = inits.find_program("dnsperf", "dnsperf")
    other = inits.find_program("dnsmasq", "dnsmasq-base")
    with contextlib.ExitStack() as stack:
        ports, pid = stack.enter_context(sidecar(on_cpu(0)))
        servers = {"dnsmasq": stack.enter_context(dnsmasq(other)), "muster-sidecar": (ports["dns"], pid)}
        directory = lib.temporary_directory()
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        (directory / "queries").write_text(QUERIES, encoding="ascii")
        results = {name: [] for name in servers}
        for turn in range(lib.rounds(15, 4)):
            order = list(servers.items())
            for name, (port, process) in order[::-1] if turn % 2 else order:
                results[name].append(ask(perf, str(directory / "queries"), port, process))
    rows = {name: {"rate": lib.stat([one[0] for one in found]), "cpu_us": lib.stat([one[1] for one in found]),
                   "of_dnsmasq": lib.stat([one[0] / its[0] for one, its in zip(found, results["dnsmasq"])])}
            for name, found in results.items()}
    lib.save("dns", {"rows": rows},
             [lib.table("DNS over UDP, dnsperf on another processor",
                        ["server", "answers/s", "min-max", "/ dnsmasq", "min-max", "cpu µs each"],
                        [[name, f"{r['rate']['median']:.0f}", lib.spread(r["rate"]),
                          f"{r['of_dnsmasq']['median']:.2f}", lib.spread(r["of_dnsmasq"], 2),
                          f"{r['cpu_us']['median']:.1f}"] for name, r in rows.items()])])


@contextlib.contextmanager
def haproxy(server):
    """(port that leads to `server`, pid): in one thread, and splicing, as the sidecar does."""
    program = inits.find_program("haproxy", "haproxy")
    port, directory = free_port(), lib.temporary_directory()
    config = directory / "haproxy.cfg"
    config.write_text(HAPROXY.format(port=port, server=server), encoding="ascii")
    try:
        with running(program, "-db", "-f", str(config), probe=lambda: accepts(port)) as pid:
            yield port, pid
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def stream(tool, kind, server, connect, pid):
    """The figure, processor seconds of both ends, and of who passes it on."""
    before = spent(pid) if pid else 0
    figure, ends = subprocess.run([tool, kind, str(server), str(connect), "1"], check=True, capture_output=True,
                                  text=True).stdout.split()
    return float(figure), float(ends), (spent(pid) - before) / 1e6 if pid else 0


def forward():
    """Bulk and round trips over a port of `forward`, against a direct connection. Three programs
    share the processors where two do without it."""
    tool = str(lib.BUILD / "bench" / "stream")
    with contextlib.ExitStack() as stack:
        ports, pid = stack.enter_context(sidecar())
        ways = {"direct": (ports["server"], None), "muster-sidecar": (ports["forward"], pid)}
        try:
            ways["haproxy"] = stack.enter_context(haproxy(ports["server"]))
        except lib.Skip as reason:
            lib.skipped("haproxy", reason)
        found = {name: {"bulk": [], "ping": []} for name in ways}
        for turn in range(lib.rounds(15, 4)):
            order = list(ways.items())
            for name, (port, process) in order[::-1] if turn % 2 else order:
                for kind, results in found[name].items():
                    results.append(stream(tool, kind, ports["server"], port, process))
    rows = {}
    for name, kinds in found.items():
        bulk, ping = kinds["bulk"], kinds["ping"]
        rows[name] = {
            "rate": lib.stat([one[0] / 1e9 for one in bulk]),
            "of_direct": lib.stat([one[0] / its[0] for one, its in zip(bulk, found["direct"]["bulk"])]),
            "cpu_ends": lib.stat([one[1] / one[0] * 1e9 for one in bulk]),
            "cpu_own": lib.stat([one[2] / one[0] * 1e9 for one in bulk]),
            "us": lib.stat([one[0] for one in ping]),
            "added_us": lib.stat([one[0] - its[0] for one, its in zip(ping, found["direct"]["ping"])]),
        }
    lib.save("forward", {"rows": rows},
             [lib.table("connections passed on, and direct; cpu seconds for a GB at both ends, and between",
                        ["way", "GB/s", "/ direct", "min-max", "cpu ends", "cpu between", "round trip µs", "added",
                         "min-max"],
                        [[name, f"{r['rate']['median']:.2f}", f"{r['of_direct']['median']:.2f}",
                          lib.spread(r["of_direct"], 2), f"{r['cpu_ends']['median']:.2f}",
                          f"{r['cpu_own']['median']:.2f}", f"{r['us']['median']:.1f}",
                          f"{r['added_us']['median']:.1f}", lib.spread(r["added_us"], 1)]
                         for name, r in rows.items()])])
