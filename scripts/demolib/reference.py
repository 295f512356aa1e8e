# SPDX-License-Identifier: MIT
"""The stack of `make demo STACK=reference`: 84 services on two hosts, which are two muster-inits on this machine.

SCALE is that of all start delays, such as 0.1.
"""

import os
import random
import shutil
import socket
import sys

from demolib import ROOT, DemoError, Host, Stack, nginx_is_old, nobody, say

REFERENCE = ROOT / "demo" / "reference"
sys.path.insert(0, str(REFERENCE))

import generate

LOWEST_PORT = 10000
TRIES = 100


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_range(count):
    """The first of so many ports in a row that are free, below those that the kernel gives to connections."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        highest = int(limits.read().split()[0])
    for _ in range(TRIES):
        first = random.randint(LOWEST_PORT, max(highest - count, LOWEST_PORT))
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise DemoError(f"there are no {count} free ports in a row")


def wanted_scale():
    text = os.environ.get("SCALE", "") or "1"
    try:
        found = float(text)
    except ValueError:
        found = -1
    if not 0 <= found <= 100:
        raise DemoError(f"SCALE='{text}': a number from 0 to 100 is needed, such as 0.1")
    return found


def place(directory, scale):
    """How the stack is generated for a directory of this machine."""
    first = free_range(len(generate.services()) + len(generate.HOSTS))
    sidecars = tuple(range(first, first + len(generate.HOSTS)))
    return generate.Setting(scale=scale, first_port=sidecars[-1] + 1, sidecars=sidecars, listen="127.0.0.1",
                            mode="development", home=str(directory / "agents"), user=nobody())


class Reference(Stack):
    def __init__(self, directory, build, scale=None):
        self.setting = place(directory, wanted_scale() if scale is None else scale)
        self.stack = generate.services(self.setting)
        agents = directory / "agents"
        agents.mkdir()
        shutil.copy(build / "demo" / "agent", agents)
        shutil.copy(REFERENCE / "agent.py", agents)
        self.hosts = [self.make_host(directory, name, port)
                      for name, port in zip(generate.HOSTS, self.setting.sidecars)]

    def make_host(self, directory, name, port):
        host = Host(name, directory / name, [directory / name / "muster.ini"], port)
        setting = generate.dataclasses.replace(self.setting, config=str(host.dir), data=str(host.dir / "data"))
        generate.write(host.dir, generate.files(name, self.stack, setting))
        (host.dir / "data").mkdir()
        if self.setting.user:
            shutil.chown(host.dir / "data", self.setting.user)
        if name == "mainpc" and nginx_is_old():
            host.env["MUSTER_SERVICE_WEB_COMMAND"] = f"nginx -c {host.dir}/nginx.conf"
        return host

    def present(self):
        for host in self.hosts:
            host.show("timeline")
            host.show("status")
        critical = generate.critical_path(self.stack) / 1000
        total = sum(service.delay for service in self.stack) / 1000
        web = next(service.port for service in self.stack if service.kind == "nginx")
        say()
        say(f"{len(self.stack)} services. Their delays: {total:.1f} s one after another, "
            f"{critical:.1f} s along the longest chain.")
        for host in self.hosts:
            say(f"Dashboard of {host.name}: {host.url}")
        say(f"The stack: http://127.0.0.1:{web}/")
