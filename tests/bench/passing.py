# SPDX-License-Identifier: MIT
"""What the sidecar does for programs that know nothing of it: names by DNS, beside dnsmasq, and
connections that are passed on, beside direct ones and haproxy. The same load in turns."""
import contextlib
import re
import subprocess

import inits
import lib
import servers

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
def sidecar(pin=None):
    """(ports by name, pid) of one that runs alone."""
    ports = {name: servers.free_port() for name in ("http", "dns", "server", "forward")}
    with servers.directory() as work:
        (work / "muster.ini").write_text(CONFIG.format(**ports), encoding="ascii")
        with servers.running(servers.find_sidecar(), "-c", str(work / "muster.ini"),
                             probe=lambda: servers.accepts(ports["http"]), pin=pin) as pid:
            yield ports, pid


@contextlib.contextmanager
def dnsmasq(program):
    port = servers.free_port()
    with servers.running(program, "-k", "-C", "/dev/null", "-p", str(port), "--no-resolv", "--no-hosts", "--user=root",
                 "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=", "--local=/muster/",
                 "--host-record=cache.muster,127.0.0.1", "--host-record=six.muster,2001:db8::1",
                 probe=lambda: servers.accepts(port), pin=servers.on_cpu(0)) as pid:
        yield port, pid


def spent(pid):
    return lib.processor_ns([pid]) / 1e3


def ask(dnsperf, queries, port, pid):
    before = spent(pid)
    said = subprocess.run([dnsperf, "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-l", "1", "-c", "4", "-q", "200"],
                          check=True, capture_output=True, text=True, preexec_fn=servers.on_cpu(-1)).stdout
    done = int(re.search(r"Queries completed:\s+(\d+)", said).group(1))
    if "NOERROR" not in said or "NXDOMAIN" in said or "REFUSED" in said:
        raise lib.Skip(f"port {port} answers otherwise: {said}")
    return float(re.search(r"Queries per second:\s+([0-9.]+)", said).group(1)), (spent(pid) - before) / done


def dns():
    """Answers a second for names of two addresses, against dnsmasq's for the same names."""
    perf = inits.find_program("dnsperf", "dnsperf")
    other = inits.find_program("dnsmasq", "dnsmasq-base")
    with contextlib.ExitStack() as stack:
        ports, pid = stack.enter_context(sidecar(servers.on_cpu(0)))
        asked = {"dnsmasq": stack.enter_context(dnsmasq(other)), "muster-sidecar": (ports["dns"], pid)}
        work = stack.enter_context(servers.directory())
        (work / "queries").write_text(QUERIES, encoding="ascii")
        results = lib.take_turns(
            {name: (lib.rounds(15, 4), lambda port=port, process=process: ask(perf, str(work / "queries"), port, process))
             for name, (port, process) in asked.items()}, back_and_forth=True)
    rates = {name: [one[0] for one in found] for name, found in results.items()}
    rows = {name: {"rate": lib.stat(rates[name]), "cpu_us": lib.stat([one[1] for one in found]),
                   "of_dnsmasq": lib.ratios(rates[name], rates["dnsmasq"])}
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
    port = servers.free_port()
    with servers.directory() as work:
        config = work / "haproxy.cfg"
        config.write_text(HAPROXY.format(port=port, server=server), encoding="ascii")
        with servers.running(program, "-db", "-f", str(config), probe=lambda: servers.accepts(port)) as pid:
            yield port, pid


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
        results = lib.take_turns(
            {name: (lib.rounds(15, 4), lambda port=port, process=process: {
                kind: stream(tool, kind, ports["server"], port, process) for kind in ("bulk", "ping")})
             for name, (port, process) in ways.items()}, back_and_forth=True)
    found = {name: {kind: [each[kind] for each in turns] for kind in ("bulk", "ping")} for name, turns in results.items()}
    rows = {}
    for name, kinds in found.items():
        bulk, ping = kinds["bulk"], kinds["ping"]
        rows[name] = {
            "rate": lib.stat([one[0] / 1e9 for one in bulk]),
            "of_direct": lib.ratios([one[0] for one in bulk], [one[0] for one in found["direct"]["bulk"]]),
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
