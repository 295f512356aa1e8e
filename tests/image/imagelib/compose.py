# SPDX-License-Identifier: MIT
"""Docker Compose with the engine of the tests."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import uuid

from imagelib import Watched, engines

from lib import BUILD, ROOT, SECONDS, fail, skip, until

STORE = BUILD / "image"
UP_SECONDS = 300  # images of the stack may have to be built
PROMETHEUS = "muster-test-prometheus"
# as prom/prometheus is, as far as the stack can see
PROMETHEUS_DOCKERFILE = """FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/* \\
    && install -d -o 65534 -g 65534 /prometheus
USER 65534
WORKDIR /prometheus
ENTRYPOINT ["prometheus"]
"""


def docker():
    """Docker's engine, whose client knows `compose`."""
    engine = next((each for each in engines() if each.name == "docker"), None) or skip("docker does not run here")
    plugins = pathlib.Path(engine.environment["DOCKER_CONFIG"]) / "cli-plugins"
    with open(STORE / "compose.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not knows_compose(engine):
            fetch(STORE / "cli-plugins")
            plugins.mkdir(exist_ok=True)
            (plugins / "docker-compose").symlink_to(STORE / "cli-plugins/docker-compose")
    return engine if knows_compose(engine) else skip("docker does not know compose")


def knows_compose(engine):
    return re.match(r"v?[2-9]\d*\.", engine.run("compose", "version", "--short").stdout)


def fetch(folder):
    if (folder / "docker-compose").exists():
        return
    result = subprocess.run([ROOT / "tests/image/get_package.sh", "docker-compose",
                             "usr/libexec/docker/cli-plugins/docker-compose", folder],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        skip(f"no Docker Compose 2: {(result.stderr.strip().splitlines() or ['no word why'])[-1]}")


def make_prometheus(engine):
    """An image that stands for prom/prometheus."""
    engine.do("build", "--tag", PROMETHEUS, "-", input=PROMETHEUS_DOCKERFILE, seconds=UP_SECONDS)


class Project:
    """A Compose project in a folder, gone behind the `with` block with all that belongs to it."""

    def __init__(self, engine, folder, *options, env=None):
        self.engine, self.folder = engine, folder
        self.name = f"muster-test-{uuid.uuid4().hex[:8]}"
        self.words = ["compose", "--project-name", self.name, *options]
        self.env = engine.environment | (env or {})

    def run(self, *words, seconds=SECONDS):
        return subprocess.run(self.engine.command(*self.words, *words), cwd=self.folder, env=self.env, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)

    def do(self, *words, **options):
        result = self.run(*words, **options)
        if result.returncode != 0:
            fail(f"docker {' '.join(map(str, [*self.words, *words]))}: {result.stderr or result.stdout}")
        return result.stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind:
            print(self.run("ps", "--all").stdout, self.run("logs", "--no-color").stdout, sep="\n", file=sys.stderr)
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "1", seconds=60)

    def container(self, service):
        return Watched(self.engine, self.do("ps", "--all", "--quiet", service)).find()

    def get(self, url):
        """The body of an answer, asked for from where ports are published; empty when there is none."""
        return subprocess.run([*self.engine.inside, "curl", "-sf", "--max-time", "5", url], capture_output=True,
                              text=True, check=False).stdout

    def get_json(self, url):
        with contextlib.suppress(ValueError):
            return json.loads(self.get(url))
        return None

    def wait_healthy(self, *services):
        for service in services:
            until(lambda: self.container(service).inspect("State.Health.Status") == "healthy", f"{service} is healthy",
                  60)

    def down(self):
        """As users do it. Returns how the containers ended, by service."""
        ends = {}
        begin = time.time()
        for line in self.do("ps", "--format", "{{.Service}} {{.ID}}").splitlines():
            service, name = line.split()
            ends[service] = End(self.engine, name)
        self.do("down", seconds=60)
        for event in self.events(begin):
            ends[event["Actor"]["Attributes"]["com.docker.compose.service"]].take(event)
        return ends

    def events(self, begin):
        """Of the project's containers: which signals the engine sent to them, and with which codes they ended."""
        label = f"com.docker.compose.project={self.name}"
        text = self.engine.do("events", "--since", begin, "--until", time.time(), "--filter", "event=kill", "--filter",
                              "event=die", "--filter", f"label={label}", "--format", "{{json .}}")
        return [json.loads(line) for line in text.splitlines()]


class End:
    """How a container ended that was removed then: .code, .signals that it got, .output (its last lines)."""

    def __init__(self, engine, name):
        self.code, self.signals = None, []
        self.file = tempfile.TemporaryFile("w+")
        self.logs = subprocess.Popen(engine.command("logs", "--follow", "--tail", "5", name), stdout=self.file,
                                     env=engine.environment, stderr=subprocess.STDOUT)
        until(lambda: os.fstat(self.file.fileno()).st_size, f"output of {name}")  # or it followed too late

    def take(self, event):
        attributes = event["Actor"]["Attributes"]
        if event["Action"] == "die":
            self.code = int(attributes["exitCode"])
        else:
            self.signals.append(attributes["signal"])

    @property
    def output(self):
        self.logs.wait(SECONDS)
        self.file.seek(0)
        return self.file.read()
