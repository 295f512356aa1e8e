#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command with container engines of its own: tests/image/engine.py COMMAND...

Starts Docker and gives podman a storage of its own, both in new network and mount namespaces, so that
no other engine, no firewall rule and no mount of the machine is touched; both are gone when the command
has ended. Needs root. Images stay in $MUSTER_BUILD/image, so that a second run starts at once.

The command finds MUSTER_ENGINES in its environment, JSON: for each engine "words" (the command line to
put before `run`), "environment", "build" (options that `build` needs) and "inside" (what stands before a command
that is to run in the engine's network), or "refused" (why there is none).
"""

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("MUSTER_BUILD", ROOT / "build")).resolve()
STORE = BUILD / "image"
RUN = STORE / "run"  # podman wants it at the same place each time; empty each time, and only in the namespace
BASE = "debian:bookworm-slim"  # what dockerfiles/*.Dockerfile start from; here made from Debian's packages
# as the slim images have it: what is left out there, and without usrmerge and its perl, which apt prefers
BASE_OPTIONS = ["--variant=minbase", "bookworm",
                *[f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale", "info")],
                '--customize-hook=APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -oDPkg::Chroot-Directory="$1" install --yes '
                'usr-is-merged usrmerge-',
                '--customize-hook=chroot "$1" dpkg-query -W -f "\\${Package}\\n" | grep -E "perl|gdbm" | '
                'grep -vx perl-base | xargs --no-run-if-empty chroot "$1" dpkg --purge',
                '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin']
RECIPE = hashlib.sha256(repr(BASE_OPTIONS).encode()).hexdigest()[:12]
BASE_SETTINGS = (f"LABEL muster.recipe={RECIPE}",
                 "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 'CMD ["bash"]')
DNS = "10.0.2.3"  # slirp4netns answers there
SECONDS = 30
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

# In the namespaces what an engine keeps about itself elsewhere is not the machine's, but a fresh copy.
NAMESPACE = """
for folder in /dev/shm /var/lib/containers /var/cache/containers /var/lib/cni /etc/cni; do
	[ ! -d $folder ] || mount -t tmpfs tmpfs $folder || exit
done
mount --bind "$0/resolv.conf" /etc/resolv.conf && mount -t tmpfs tmpfs "$1" && echo made && exec sleep infinity
"""

CONTAINERS_CONF = """[containers]
default_ulimits = [{limits}]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
"""

prctl = ctypes.CDLL(None, use_errno=True).prctl


class Refused(Exception):
    """Why there is no engine."""


def say(text):
    print(f"engine: {text}", file=sys.stderr, flush=True)


def need(program):
    return shutil.which(program) or refuse(f"{program} is not installed (scripts/install-deps image)")


def refuse(reason):
    raise Refused(reason)


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            refuse(f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return result


def run(words, env=None):
    return subprocess.run([str(word) for word in words], env=env, capture_output=True, text=True, check=False)


def last_line(text):
    return (text.strip().splitlines() or ["no word why"])[-1]


# ---- processes ----


def children():
    """Those of this process, which adopts what its engines leave behind; zombies are reaped on the way."""
    found = []
    for task in pathlib.Path("/proc/self/task").glob("*/children"):
        found += [int(word) for word in task.read_text().split()]
    return found


def kill_rest():
    """Ends all descendants: those whose parent ends become children."""
    deadline = time.monotonic() + SECONDS
    while (rest := children()) and time.monotonic() < deadline:
        for pid in rest:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


class Daemon:
    """A program that runs beside the command, with its output in a file."""

    def __init__(self, words, log, **options):
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, start_new_session=True,
                                            preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM), **options)

    def text(self):
        return self.log.read_text(errors="replace")

    def check(self):
        if self.process.poll() is not None:
            refuse(f"{self.process.args[0]}: {last_line(self.text())}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# ---- engines ----


class Engines:
    def __init__(self, folder):
        self.folder = folder
        self.stack = contextlib.ExitStack()
        self.holder = None
        self.found = {}
        self.cgroups = set()

    def start(self):
        self.cgroups = set(cgroups())
        (self.folder / "client").mkdir()
        (self.folder / "client/config.json").write_text("{}")
        self.make_namespaces()
        for name, start in (("docker", self.start_docker), ("podman", self.start_podman)):
            try:
                self.found[name] = start()
            except Refused as refused:
                self.found[name] = {"refused": str(refused)}
                say(f"without {name}: {refused}")

    def make_namespaces(self):
        (self.folder / "resolv.conf").write_text(f"nameserver {DNS}\n")
        holder = Daemon([need("unshare"), "--mount", "--net", "sh", "-c", NAMESPACE, self.folder, RUN],
                        self.folder / "namespace.log")
        self.stack.callback(holder.stop)
        until(lambda: holder.check() or "made" in holder.text(), SECONDS, "new namespaces")
        self.holder = holder.process.pid
        self.connect()

    def connect(self):
        """A way out for `apt-get` in a build, without a rule or an interface on the machine itself."""
        ready, write = os.pipe()
        with open(ready, "rb") as ready:
            try:
                way = Daemon([need("slirp4netns"), "--configure", "--mtu=65520", "--disable-host-loopback",
                              f"--ready-fd={write}", self.holder, "tap0"], self.folder / "slirp.log", pass_fds=[write])
            except Refused as refused:
                return say(f"without a network: {refused}")
            finally:
                os.close(write)
            self.stack.callback(way.stop)
            if not ready.read(1):
                say(f"without a network: {last_line(way.text())}")

    def inside(self, *words):
        return [need("nsenter"), "-t", str(self.holder), "-m", "-n", *map(str, words)]

    def start_docker(self):
        need("dockerd")
        socket = f"unix://{self.folder}/docker.sock"
        daemon = Daemon(self.inside("dockerd", "--host", socket, "--data-root", STORE / "docker",
                                    "--exec-root", self.folder / "exec", "--pidfile", self.folder / "docker.pid",
                                    "--init-path", BUILD / "static/muster-init"), self.folder / "dockerd.log")
        self.stack.callback(daemon.stop)
        env = {"DOCKER_CONFIG": str(self.folder / "client"), "DOCKER_HOST": socket, "DOCKER_BUILDKIT": "1"}
        engine = {"words": [docker_client()], "environment": env, "build": [], "inside": self.inside()}
        until(lambda: daemon.check() or run([*engine["words"], "version"], os.environ | env).returncode == 0,
              SECONDS, "an answer from dockerd")
        self.stack.callback(remove_containers, engine)
        give_base(engine, BASE)
        return engine

    def start_podman(self):
        conf = self.folder / "containers.conf"
        # its own limits for containers are above what a machine may allow, and so may be its own
        numbers = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        hard = {name: resource.getrlimit(number)[1] for name, number in numbers.items()}
        low = {name: 4096 if limit == resource.RLIM_INFINITY else min(limit, 4096) for name, limit in hard.items()}
        conf.write_text(CONTAINERS_CONF.format(
            limits=", ".join(f'"{name}={limit}:{limit}"' for name, limit in low.items())))
        engine = {"words": self.inside(need("podman"), "--root", STORE / "podman", "--runroot", RUN / "root",
                                       "--tmpdir", RUN / "tmp"),
                  "environment": {"CONTAINERS_CONF": str(conf)}, "build": ["--network", "host"],
                  "inside": self.inside()}
        self.stack.callback(remove_containers, engine)
        give_base(engine, f"docker.io/library/{BASE}")
        return engine

    def stop(self):
        self.stack.close()
        kill_rest()
        for path in sorted(set(cgroups()) - self.cgroups, reverse=True):
            with contextlib.suppress(OSError):
                path.rmdir()


def cgroups():
    """Those that the engines make for themselves."""
    for name in ("docker", "libpod_parent"):
        for top in pathlib.Path("/sys/fs/cgroup").glob(f"**/{name}"):
            yield top
            yield from (path for path in top.glob("**/*") if path.is_dir())


def docker_client():
    """The first that can build with BuildKit: without its plugin a client of version 23 or later cannot."""
    clients = dict.fromkeys(filter(None, (shutil.which("docker"), "/usr/bin/docker")))
    for client in filter(os.path.exists, clients):
        version = run([client, "--version"]).stdout.partition("version ")[2].partition(".")[0]
        if (version.isdigit() and int(version) < 23) or run([client, "buildx", "version"]).returncode == 0:
            return client
    return next(filter(os.path.exists, clients), None) or refuse("docker is not installed (scripts/install-deps image)")


def ask(engine, *words):
    return run([*engine["words"], *words], os.environ | engine["environment"])


def remove_containers(engine):
    if ids := ask(engine, "ps", "--all", "--quiet").stdout.split():
        ask(engine, "rm", "--force", *ids)


# ---- the base image ----


def give_base(engine, name):
    recipe = ask(engine, "inspect", "--type", "image", "--format", '{{index .Config.Labels "muster.recipe"}}', name)
    if recipe.stdout.strip() == RECIPE:
        return
    settings = [word for setting in BASE_SETTINGS for word in ("--change", setting)]
    result = ask(engine, "import", *settings, make_base(), name)
    if result.returncode != 0:
        refuse(f"import of {name}: {last_line(result.stderr)}")


def make_base():
    """Debian as its slim images have it."""
    path = STORE / f"base-{RECIPE}.tar"
    if path.exists():
        return path
    say(f"making {BASE} from Debian's packages")
    new = STORE / "new.tar"
    result = run([need("mmdebstrap"), *BASE_OPTIONS, new])
    if result.returncode != 0:
        refuse(f"mmdebstrap: {last_line(result.stderr)}")
    new.rename(path)
    return path


# ----


def serve(command):
    """Runs the command with engines, or with the reason why there are none."""
    RUN.mkdir(parents=True, exist_ok=True)
    with open(STORE / "lock", "w", encoding="utf-8") as lock, \
            tempfile.TemporaryDirectory(prefix="muster-", ignore_cleanup_errors=True) as folder:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one engine at a time in one storage
        engines = Engines(pathlib.Path(folder))
        try:
            try:
                if os.geteuid() != 0:
                    refuse("starting an engine needs root")
                engines.start()
            except Refused as refused:
                engines.found = {name: {"refused": str(refused)} for name in ("docker", "podman")}
            return subprocess.call(command, env=os.environ | {"MUSTER_ENGINES": json.dumps(engines.found)})
        finally:
            engines.stop()


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: tests/image/engine.py COMMAND...")
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(serve(sys.argv[1:]))


if __name__ == "__main__":
    main()
