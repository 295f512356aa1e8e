# SPDX-License-Identifier: MIT
"""Replicas: one process each, addressed together or one by one, with shared sockets; a reload that changes their
number changes nothing else."""
import socket

from lib import Init, equal, free_port, tool, until

M, LISTENER, PORT = tool("misbehave"), tool("listener"), free_port()
CONFIG = f"""
[service:web]
command = {LISTENER}
replicas = %d
listen = tcp:127.0.0.1:{PORT}, unix:{{dir}}/web.sock
restart = no
essential = no
[service:worker]
command = {M} identity {{dir}}/worker.${{MUSTER_REPLICA}} forever
replicas = 2
[service:front]
command = {M} forever
depends_on = web, worker.1
"""


def answer():
    with socket.create_connection(("127.0.0.1", PORT), timeout=20) as client:
        client.sendall(b"x\n")
        return int(client.makefile().readline())


def pids(init, name):
    return {n: s["pid"] for n, s in init.services().items() if n.startswith(name)}


def webs(count):
    return [f"web.{i}" for i in range(count)]


with Init(config=CONFIG % 3, env={"MUSTER_SERVICE_WEB_STOP_SIGNAL": "SIGINT"}) as init:
    init.wait_line("all ready after")
    equal(init.ctl("wait", "web", "worker", "front").returncode, 0, "exit code of musterctl wait")
    equal(list(init.services()), webs(3) + ["worker.0", "worker.1", "front"], "services")
    equal([d["name"] for d in init.services()["front"]["depends_on"]], webs(3) + ["worker.1"], "what front waits for")
    init.json("worker.1")
    until(lambda: answer() in pids(init, "web").values(), "one of them answers")
    # one alone, and all
    init.ctl("stop", "web.1")
    equal([l.split()[:2] for l in init.ctl("status", "web").stdout.splitlines()[2:]],
          [["web.0", "running"], ["web.1", "inactive"], ["web.2", "running"]], "status of all")
    result = init.ctl("signal", "worker", "WINCH")
    equal((result.returncode, [l.split(":")[0] for l in result.stdout.splitlines()]), (0, ["worker.0", "worker.1"]),
          f"who gets a signal: {result.stderr}")
    before = pids(init, "web")
    result = init.ctl("restart", "web")
    equal(result.stdout.split(), ["web.0:", "running", "web.1:", "running", "web.2:", "running"], "what restart says")
    equal(set(before.values()) & set(pids(init, "web").values()), set(), "processes that are still there")
    # another number: only the difference
    before = init.services()
    init.write("muster.ini", init.fill(CONFIG % 4))
    equal(init.ctl("reload").stdout, "added: web.3\n", "what a reload with more says")
    equal(init.ctl("wait", "web").returncode, 0, "exit code of musterctl wait")
    init.write("muster.ini", init.fill(CONFIG % 1))
    equal(init.ctl("reload").stdout, "removed: web.1, web.2, web.3\n", "what a reload with fewer says")
    for name in ("web.0", "worker.0", "worker.1", "front"):
        equal(init.services()[name]["pid"], before[name]["pid"], f"process of {name}")
    equal(answer(), before["web.0"]["pid"], "who answers")
    equal((init.dir / "web.sock").is_socket(), True, "the unix socket is there")
    init.write("muster.ini", init.fill(CONFIG % 2))
    init.ctl("reload")
    equal(init.ctl("wait", "web").returncode, 0, "exit code of musterctl wait")
    # one that is gone for good does not close the sockets of the others
    init.ctl("signal", "web.0", "SIGKILL")
    init.wait_state("web.0", "failed")
    equal(answer(), init.services()["web.1"]["pid"], "who answers")
    equal((init.dir / "web.sock").is_socket(), True, "the unix socket is there")
    init.write("muster.ini", init.fill(CONFIG % 3))
    equal(init.ctl("reload").stdout, "added: web.2\n", "what a reload says meanwhile")
    init.ctl("start", "web.0")
    init.ctl("stop", "web.1", "web.2")
    equal(answer(), init.services()["web.0"]["pid"], "who answers")
    # logs and events take the name, too; one that is not there is said
    equal(init.ctl("logs", "worker").returncode, 0, "exit code of musterctl logs")
    equal(init.ctl("stop", "front", "worker").stdout.split()[::2], ["front:", "worker.0:", "worker.1:"], "what stop says")
    equal(init.ctl("stop", "work").returncode, 3, "exit code for a name that is not there")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    equal((init.dir / "web.sock").exists(), False, "the unix socket is there at the end")
