# SPDX-License-Identifier: MIT
"""Two hosts, one muster.ini, five modes, switched by MUSTER_MODE: services of each find those of the other
by every way in which an address is delivered, in every mode, and wait for them: environment, values,
exports, the hosts file, the DNS, and a port that passes connections on."""

import contextlib
import json
import pathlib
import subprocess
import sys
import time

from lib import CTL, SIDECAR, Init, check, contains, equal, need, until
from sidecarlib import in_network_namespace
from sidecarlib.dns import AAAA, A, Zone
from sidecarlib.hosts import run, two_hosts

HOSTS = {"mainpc": "1", "pc2": "2"}
# where `model` of pc2 and `api` of mainpc are in each mode
MODEL = {"development": "10.77.0.2", "testing": "[fd77::2]", "container": "model", "kubernetes": "10.77.0.2",
         "production": "model-b.internal"}
API = {"development": "10.77.0.1", "testing": "[fd77::1]", "container": "api", "kubernetes": "api", "production": "10.77.0.1"}
SERVE = """
import os, socket, sys
name, port = sys.argv[1], int(sys.argv[2])
with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as server:
    while True:
        client, _ = server.accept()
        with client:
            client.sendall(f"{name}@{os.environ['MUSTER_HOST']} in {os.environ['MUSTER_MODE']}".encode())
"""
# asks at every place that it was told of; a place is the way in which it came, and host:port
ASK = """
import os, socket, struct, sys

def look_up(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    for kind, family in ((1, socket.AF_INET), (28, socket.AF_INET6)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(60)
            client.connect(("127.0.0.1", 5353))
            query = struct.pack(">6H", 4711, 0x100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)
            client.send(query)
            answer = client.recv(4096)
        count, record = struct.unpack_from(">H", answer, 6)[0], answer[len(query):]
        if count:
            assert struct.unpack_from(">HH", record, 2)[0] == kind, answer
            return socket.inet_ntop(family, record[12:12 + struct.unpack_from(">H", record, 10)[0]])
    raise SystemExit(f"no address: {answer}")

for place in sys.argv[2:]:
    way, where = place.split("=", 1)
    host, port = where.removeprefix("tcp://").rsplit(":", 1)
    if way == "dns":
        host = look_up(host)
    with socket.create_connection((host.strip("[]"), int(port)), timeout=60) as client, open(sys.argv[1], "a") as out:
        out.write(f"{way} {where} {client.recv(100).decode()}\\n")
"""
CONFIG = """
[muster]
name = ${HOST_NAME}
hosts = yes
[sidecar]
listen = 0.0.0.0:9180
dns = 127.0.0.1:5353
[address:model]
port = 8000
development = 10.77.0.2
testing = [fd77::2]
container = model
production = ${MODEL_SERVER}:8000, model-b.internal
export = MODEL_URL=tcp://{host}:{port}
forward = 127.0.0.1:7800
check_period = 200ms
[address:api]
port = 9000
development = 10.77.0.1
testing = [fd77::1]
container = api
production = 10.77.0.1
export = API_URL=tcp://{host}:{port}
forward = 127.0.0.1:7900
check_period = 200ms
[service:api]
profiles = mainpc
command = python3 serve.py api 9000
readiness_probe = tcp://:9000
working_dir = {dir}
[service:model]
profiles = pc2
command = python3 serve.py model 8000
readiness_probe = tcp://:8000
working_dir = {dir}
[service:asks-model]
type = oneshot
profiles = mainpc
depends_on = address:model, api
command = sh -c 'exec python3 ask.py asked env=$MUSTER_ADDRESS_MODEL url=$MODEL_URL value=$1 hosts=model:8000 dns=model.muster:8000 forward=127.0.0.1:7800' x ${address:model}
working_dir = {dir}
[service:asks-api]
type = oneshot
profiles = pc2
depends_on = address:api, model
command = sh -c 'exec python3 ask.py asked env=$MUSTER_ADDRESS_API url=$API_URL value=$1 hosts=api:9000 dns=api.muster:9000 forward=127.0.0.1:7900' x ${address:api:host}:${address:api:port}
working_dir = {dir}
"""


def serve_names():
    """DNS of one host, on its loopback."""
    zone = Zone()
    for name, number in (("model", "2"), ("model-b.internal", "2"), ("api", "1")):
        zone.records |= {(name, A): [f"10.77.0.{number}"], (name, AAAA): [f"fd77::{number}"]}
    return zone


def be_host(directory):
    """A process that is the other host: its namespaces, its files in /etc, its DNS."""
    run("ip", "link", "set", "lo", "up")
    for name in ("resolv.conf", "hosts"):
        path = pathlib.Path(directory) / f"{name}.pc2"
        path.write_text(pathlib.Path(f"/etc/{name}").read_text())
        run("mount", "--bind", path, f"/etc/{name}")
    zone = serve_names()
    print("ready", len(zone.records), flush=True)
    sys.stdin.read()


def start(stack, prefix, host, mode):
    env = {"HOST_NAME": host, "MUSTER_MODE": mode, "MUSTER_PROFILES": host}
    if mode == "kubernetes":
        env |= {"MODEL_SERVICE_HOST": "10.77.0.2", "MODEL_SERVICE_PORT": "8000", "API_PORT": "tcp://api:9000"}
    if mode == "production":
        env |= {"MODEL_SERVER": "10.77.0.1"}  # where it is no longer
    init = Init(config=CONFIG, env=env, pid1=False, prefix=prefix)
    init.write("serve.py", SERVE)
    init.write("ask.py", ASK)
    return stack.enter_context(init)


def answers(init, prefix, name, env):
    """Where musterctl, the sidecar by itself, and the one that runs say the address is."""
    ini = init.path("muster.ini")
    found = {}
    for what, program in (("ctl", CTL), ("sidecar", SIDECAR)):
        result = subprocess.run([*prefix, program, "-c", ini, "resolve", "--json", name], env=env, capture_output=True,
                                text=True, check=False)
        found[what] = json.loads(result.stdout)
    fetch = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=60).read().decode())"
    found["http"] = json.loads(run(*prefix, sys.executable, "-c", fetch, f"http://127.0.0.1:9180/resolve/{name}").stdout)
    return found


def check_host(mode, init, prefix, name, expected, port, server):
    env = init.env
    until(lambda: init.read("asked").count("\n") == 6, lambda: f"{mode}: six ways: {init.read('asked')}\n{init.stderr}", 90)
    asked = {line.split(" ")[0]: line.split(" ", 2)[1:] for line in init.read("asked").splitlines()}
    said = f"{name}@{server} in {mode}"
    place = f"{expected}:{port}"
    bare = f"{expected.strip('[]')}:{port}" if "[" in expected else place
    equal(asked, {"env": [place, said], "url": ["tcp://" + place, said], "hosts": [f"{name}:{port}", said],
                  "dns": [f"{name}.muster:{port}", said], "forward": [f"127.0.0.1:{7800 if name == 'model' else 7900}", said],
                  "value": [bare if name == "api" else place, said]}, f"{mode}: {name}")

    def look():
        found = answers(init, prefix, name, env)
        return found if all(found[what]["state"] == "up" for what in ("sidecar", "http")) else None

    found = until(look, f"{mode}: {name} is up", 60)
    equal({answer["mode"] for answer in found.values()}, {mode}, "mode")
    for what in ("sidecar", "http"):
        equal((found[what]["host"], found[what]["port"], found[what]["state"]), (expected.strip("[]"), port, "up"),
              f"{mode}: {name} by {what}")
    equal({answer["mode_source"] for answer in found.values()}, {"environment MUSTER_MODE"}, "who chose the mode")


def both(hosts, mode):
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        mainpc = start(stack, hosts["mainpc"], "mainpc", mode)
        until(lambda: "waits for address:model" in (mainpc.services().get("asks-model", {}).get("reason") or ""),
              "the one waits for the other host", 60)
        pc2 = start(stack, hosts["pc2"], "pc2", mode)
        check_host(mode, mainpc, hosts["mainpc"], "model", MODEL[mode], 8000, "pc2")
        check_host(mode, pc2, hosts["pc2"], "api", API[mode], 9000, "mainpc")
        text = run(*hosts["mainpc"], CTL, "-c", mainpc.path("muster.ini"), "resolve", "--explain", "model", env=mainpc.env).stdout
        contains(text, f"mode  {mode} (environment MUSTER_MODE)", "why")
        for init in (mainpc, pc2):
            equal(init.ctl("shutdown", "--timeout", "60s", seconds=70).returncode, 0, "shutdown")
            equal(init.wait(60), 0, "exit code")
        print(f"{mode}: all found in {time.monotonic() - began:.1f} s")
    for prefix in hosts.values():
        check("# muster" not in run(*prefix, "cat", "/etc/hosts").stdout, "the hosts file is as it was")


def main():
    for program in ("ip", "nsenter", "unshare"):
        need(program)
    directory = in_network_namespace()
    (directory / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:20 attempts:2\n")  # it may stand still
    serve_names()
    with two_hosts(__file__, directory) as hosts:
        for mode in MODEL:
            both(hosts, mode)


if sys.argv[1:2] == ["--host"]:
    be_host(sys.argv[2])
else:
    main()
