# SPDX-License-Identifier: MIT
"""What services use, with all their processes, and what the machine is pressed by, agrees with what the kernel's own
files say when this test reads them, and with what node_exporter makes of them."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import urllib.request

from lib import Init, check, equal, free_port, proc_children, until

PORT = free_port()
CONFIG = f"""
[sidecar]
listen = 127.0.0.1:{PORT}
[service:tree]
command = sh -c 'sleep 1000 & sh -c "sleep 1000; exit" & python3 -c "
    while True: pass" & wait'
nice = 10
[service:alone]
command = sleep 1000
[service:down]
command = true
start = manual
"""
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")


def get(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=60) as answer:
        return answer.read().decode()


def services():
    return {service["name"]: service for service in json.loads(get("/status"))["services"]}


def stat(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def descendants(pid):
    found = [pid]
    for process in found:  # grows
        found += proc_children(process)
    return found


def cpu(pids):
    return sum(sum(map(int, stat(pid)[11:15])) for pid in pids) / TICK


def resident(pids):
    return sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * PAGE


def open_fds(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def check_tree(pid):
    # the tree is complete and at rest, but for the one that computes
    pids = until(lambda: len(descendants(pid)) == 5 and descendants(pid), "five processes")
    until(lambda: cpu(pids) > 0, "it has computed")
    before = cpu(pids)
    time.sleep(1.1)  # what was read is kept for a second
    seen = services()["tree"]
    after = cpu(pids)
    equal((seen["processes"], seen["threads"]), (5, 5), "processes and threads")
    check(before <= seen["cpu_seconds"] <= after + 0.01, f"cpu: {before} <= {seen['cpu_seconds']} <= {after}")
    until(lambda: services()["tree"]["open_fds"] in (None, open_fds(pids)), "descriptors agree")
    # the one that computes may have been starting
    until(lambda: abs(services()["tree"]["memory_bytes"] - resident(pids)) <= 64 * PAGE * len(pids),
          lambda: f"memory: {services()['tree']['memory_bytes']}, not {resident(pids)}")


def check_rest(pid):
    seen = until(lambda: (found := services())["alone"]["memory_bytes"] == resident([pid]) and found, "memory of one at rest")
    equal(seen["alone"]["processes"], 1, "one at rest")
    equal([seen["down"][key] for key in ("cpu_seconds", "memory_bytes", "processes", "threads", "open_fds")], [None] * 5,
          "one that does not run")


def waiting(text, name, pattern):
    return {match.group(1): float(match.group(2)) for match in re.finditer("^" + name + pattern, text, re.M)}


def check_pressure():
    """The totals of node_exporter, asked between two answers of ours, lie between them."""
    program = shutil.which("prometheus-node-exporter")
    if not program or not os.path.exists("/proc/pressure/memory"):
        print("not compared with node_exporter: it is not here, or the kernel keeps no account of pressure")
        return
    port = free_port()
    ours = r'\{resource="(\w+)",scope="machine"\} (\S+)'
    with subprocess.Popen([program, "--collector.disable-defaults", "--collector.pressure",
                           f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL) as exporter:
        try:
            def ask():
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
                        return answer.read().decode()
                except OSError:
                    return None

            until(ask, "node_exporter answers")
            first = waiting(get("/metrics"), "muster_pressure_waiting_seconds_total", ours)
            theirs = waiting(ask(), "node_pressure_", r"(\w+)_waiting_seconds_total (\S+)")
            time.sleep(1.1)
            last = waiting(get("/metrics"), "muster_pressure_waiting_seconds_total", ours)
        finally:
            exporter.terminate()
    if not first:
        print("not compared with node_exporter: the pressure here is that of a cgroup")
        return
    for name in ("cpu", "memory", "io"):
        # what is kept for a second may be from before; node_exporter rounds to a microsecond
        check(first[name] - 1.5 <= theirs[name] <= last[name] + 0.01,
              f"{name}: {first[name]}, {theirs[name]}, {last[name]}")


with Init(config=CONFIG) as init:
    init.wait_state("tree", "running", "ready")
    until(lambda: "serving http://" in init.stderr, "the sidecar serves")
    check_tree(init.outside(init.services()["tree"]["pid"]))
    check_rest(init.outside(init.services()["alone"]["pid"]))
    check_pressure()
