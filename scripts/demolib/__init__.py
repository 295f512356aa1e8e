# SPDX-License-Identifier: MIT
"""What the stacks of `make demo` share: hosts, each a muster-init with its services, and looking at them."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ("muster-init", "musterctl", "muster-sidecar")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READY_SECONDS = 60
STOP_SECONDS = 20


class DemoError(Exception):
    """Something did not go as it should."""


def say(text=""):
    print(text, flush=True)


def free_ports(count):
    """TCP ports on loopback that nothing listens on now, where it can be such as the kernel gives to nobody by itself."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = range(10000, min(low, 30000) if low > 15000 else 65536)
    ports = set()
    while len(ports) < count:
        port = random.choice(candidates)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            ports.add(port)
    return list(ports)


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def namespace_command():
    """The words that make a program PID 1 of a namespace of its own; none where that is refused."""
    words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.geteuid() != 0:
        words[1:1] = ["--user", "--map-current-user"]
    try:
        refused = subprocess.run(words + ["true"], capture_output=True, check=False).returncode
    except FileNotFoundError:
        refused = True
    return [] if refused else words


def nobody():
    """Whom services are to be: nobody where the demo is root and python3 is there for everybody, else ourselves."""
    return "nobody" if os.geteuid() == 0 and shutil.which("python3", path=SYSTEM_PATH) else ""


def prepare(directory, build):
    """Where hosts get their programs from. Services and the sidecar run as other users, who may not be able to look
    where we lie."""
    directory.chmod(0o755)
    for program in PROGRAMS:
        shutil.copy(build / program, directory)


def nginx_is_old():
    """Before 1.19.5 there is no option -e."""
    return "-e filename" not in subprocess.run(["nginx", "-h"], capture_output=True, text=True, check=False).stderr


class Host:
    """One muster-init. Its runtime directory is made in `directory`, beside which the programs lie.

    .enter is called in its process before it becomes muster-init; .output: a file for what it writes, not ours.
    """

    def __init__(self, name, directory, configs, dashboard, env=()):
        self.name, self.dir, self.configs, self.dashboard = name, directory, configs, dashboard
        self.programs = directory.parent
        self.mark = f"DEMO_MARK={uuid.uuid4()}"
        self.namespace = namespace_command()
        self.process = None
        self.enter = os.setpgrp  # a process group of its own: Ctrl-C is for us, and we pass it on once
        self.output = None
        directory.mkdir()
        directory.chmod(0o755)
        self.env = self.environment() | dict(env)

    def environment(self):
        env = {key: value for key, value in os.environ.items()
               if key not in ("MUSTER_BUILD", "MUSTER_CONFIG", "NOTIFY_SOCKET")}
        env |= {
            "PATH": f"{SYSTEM_PATH}:{os.path.dirname(sys.executable)}",
            "HOME": str(self.dir),
            "TMPDIR": str(self.dir),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MUSTER_RUN_DIR": str(self.dir / "run"),
        }
        return env | dict([self.mark.split("=")])

    # ---- life ----

    def start(self):
        command = self.namespace + [str(self.programs / "muster-init")]
        for path in self.configs:
            command += ["-c", str(path)]
        self.process = subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.output, cwd=self.dir, preexec_fn=self.enter)

    def init_pid(self):
        """muster-init as we see it: unshare's child, or our own."""
        if not self.namespace:
            return self.process.pid
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else pid

    def signal(self, number):
        try:
            os.kill(self.init_pid(), number)
        except OSError:
            pass  # it has ended meanwhile

    def ended(self):
        return self.process.poll() is not None

    def ctl(self, *words):
        return subprocess.run([str(self.programs / "musterctl"), *words], env=self.env, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def show(self, *words):
        """What musterctl prints, colours and all when this is a terminal."""
        say()
        subprocess.run([str(self.programs / "musterctl"), *words], env=self.env, check=False)

    def services(self):
        status = self.ctl("status", "--json")
        if status.returncode not in (0, 1):
            raise DemoError(f"musterctl status: {status.stderr.strip()}")
        return {service["name"]: service for service in json.loads(status.stdout)["services"]}

    # ---- what is looked at ----

    def wait_up(self):
        control = self.dir / "run" / "control.sock"
        until(lambda: self.ended() or control.exists(), READY_SECONDS, "muster-init is up")
        if self.ended():
            raise DemoError(f"muster-init of {self.name} ended with code {self.process.returncode}")

    def wait_ready(self, *wanted):
        """Until all, or what is wanted, is ready."""
        self.wait_up()
        waited = self.ctl("wait", "--timeout", f"{READY_SECONDS}s", *wanted)
        if waited.returncode != 0:
            raise DemoError(f"{self.name}: not all became ready: {waited.stderr.strip()}")

    def check_states(self, expected=()):
        """All are ready, but for those of which `expected` says something else."""
        expected = dict(expected)
        for name, service in self.services().items():
            good = [expected[name]] if name in expected else ["ready", "running"]
            if service["state"] not in good:
                raise DemoError(f"{name} is {service['state']}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.dashboard}/"

    def check_dashboard(self):
        page = subprocess.run(["curl", "-fsS", "--max-time", "10", self.url], capture_output=True,
                              text=True, check=False)
        if page.returncode != 0 or "<html" not in page.stdout:
            raise DemoError(f"the dashboard {self.url} does not answer: {page.stderr.strip()}")
        say(f"The dashboard answered with {len(page.stdout)} bytes.")

    def survivors(self):
        """Processes that carry our mark."""
        mark = self.mark.encode()
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if mark in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    found.append(int(pid))
            except OSError:
                pass
        return found

    # ---- the end ----

    def ask_shutdown(self):
        asked = self.ctl("shutdown")
        if asked.returncode != 0:
            raise DemoError(f"musterctl shutdown: {asked.stderr.strip()}")

    def wait_end(self):
        until(self.ended, STOP_SECONDS, f"muster-init of {self.name} ends")
        if self.process.returncode != 0:
            raise DemoError(f"muster-init of {self.name} ended with code {self.process.returncode}")
        if self.survivors():
            raise DemoError(f"left behind: {self.survivors()}")

    def destroy(self):
        """Whatever went wrong, nothing stays."""
        if self.process and not self.ended():
            self.signal(signal.SIGKILL)
            self.process.kill()
            self.process.wait()
        for pid in self.survivors():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


class Stack:
    """Hosts that are shown together; stacks say in these functions what is special about them."""

    hosts = ()

    def wait_ready(self):
        for host in self.hosts:
            host.wait_ready()

    def check(self):
        for host in self.hosts:
            host.check_states()
            host.check_dashboard()

    def present(self):
        raise NotImplementedError

    # ----

    def shut_down(self):
        for host in self.hosts:
            host.ask_shutdown()
        self.wait_end()

    def signal(self, number):
        for host in self.hosts:
            host.signal(number)

    def wait_end(self):
        for host in self.hosts:
            host.wait_end()

    def stay(self):
        """Until Ctrl-C, which asks for a shutdown in order; a second one for an immediate one. When one host
        has ended by itself, so do the others."""
        asked = False
        pressed = []
        signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
        say("Ctrl-C shuts it down in order.")
        while not all(host.ended() for host in self.hosts):
            time.sleep(0.05)
            if pressed:
                pressed.pop()
                asked = True
                say()
                self.signal(signal.SIGINT)
            elif not asked and any(host.ended() for host in self.hosts):
                asked = True
                self.signal(signal.SIGTERM)
        self.wait_end()

    def destroy(self):
        for host in self.hosts:
            host.destroy()

    def run(self, once):
        say("muster-init runs as " + ("PID 1 of its own PID namespace." if self.hosts[0].namespace else
                                      "a subreaper: PID namespaces are not permitted here."))
        try:
            for host in self.hosts:
                host.start()
            self.wait_ready()
            self.present()
            if once:
                self.check()
                self.shut_down()
            else:
                self.stay()
            say("Everything went as it should, and nothing is left behind.")
        except KeyboardInterrupt:
            say()
            self.signal(signal.SIGINT)
            self.wait_end()
        finally:
            self.destroy()
