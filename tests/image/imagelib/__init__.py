# SPDX-License-Identifier: MIT
"""What the tests of images share: containers of real engines, watched from outside as tests/run/lib.py watches
muster-init. Engines come from tests/image/engine.py; a test that is started without asks for them itself."""

import contextlib
import fcntl
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import uuid

HERE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE.parent / "run"))
if "MUSTER_ENGINES" not in os.environ:
    os.execv(sys.executable, [sys.executable, str(HERE / "engine.py"), sys.executable, *sys.argv])

from lib import BUILD, ROOT, SECONDS, all_pids, fail, pid_namespace, proc_state, read_proc, skip, until

STATIC = BUILD / "static"  # what is put into containers needs no library there
INIT = "/m/muster-init"
CTL = "/m/musterctl"
TOOL = "/m/tools/misbehave"
BASE = "debian:bookworm-slim"


class Engine:
    """docker or podman; their command lines are the same."""

    def __init__(self, name, found):
        self.name = name
        self.words = found["words"]
        self.environment = os.environ | found["environment"]
        self.build_options = found["build"]
        self.inside = found["inside"]

    def command(self, *words):
        return [*self.words, *map(str, words)]

    def run(self, *words, seconds=SECONDS, text=True, **options):
        return subprocess.run(self.command(*words), env=self.environment, capture_output=True, text=text,
                              timeout=seconds, check=False, **options)

    def do(self, *words, **options):
        """What must work; returns its output."""
        result = self.run(*words, **options)
        if result.returncode != 0:
            fail(f"{self.name} {' '.join(map(str, words))}: {result.stderr or result.stdout}")
        return result.stdout.strip()

    @contextlib.contextmanager
    def image(self, files, *settings):
        """An image of nothing but these files (a path, or bytes) and Dockerfile instructions; gives its name."""
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            for name, content in files.items():
                content = content if isinstance(content, bytes) else pathlib.Path(content).read_bytes()
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o755
                archive.addfile(entry, io.BytesIO(content))
        name = f"localhost/muster-test:{uuid.uuid4()}"
        changes = [word for setting in settings for word in ("--change", setting)]
        self.do("import", *changes, "-", name, input=tar.getvalue(), text=False)
        try:
            yield name
        finally:
            self.run("rmi", "--force", name)

    def container(self, *words, **options):
        return Container(self, *words, **options)


def engines():
    """All that run here; the test is skipped where none does."""
    found = json.loads(os.environ["MUSTER_ENGINES"])
    usable = [Engine(name, engine) for name, engine in found.items() if "refused" not in engine]
    return usable or skip("; ".join(sorted({engine["refused"] for engine in found.values()})))


def build_images(engine, *words, **arguments):
    """What `make images` builds, in this engine; returns the sizes in bytes that it prints, by image. Words and arguments
    as scripts/build-images has them; default: those of dockerfiles/cpu.Dockerfile."""
    env = engine.environment | {"DOCKER": " ".join(engine.words), "BUILD_OPTIONS": " ".join(engine.build_options)}
    with open(BUILD / "image/images.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first test builds, the others find it done
        # a mirror can lack the source packages of a release whose packages were built once more
        result = subprocess.run([ROOT / "scripts/build-images", *(words or ["cpu"])], check=False,
                                env={"SOURCE_SUITE": "trixie"} | env | arguments, capture_output=True, text=True)
    if result.returncode != 0:
        fail(f"scripts/build-images: {result.stdout}{result.stderr}")
    lines = [line.split() for line in result.stdout.splitlines()]
    return {name: {what: int(size) for what, size in zip(lines[0][1:], sizes) if size != "-"}
            for name, *sizes in lines[1:]}


def check_clean(engine, image):
    """That it holds no compiler, nothing to compile with, no package lists, and no file of the user muster."""
    script = """for name in cc gcc g++ make ld clang as nvcc; do command -v $name; done
        find / -xdev ( -name '*.a' -o -name '*.o' ) -not -path '/usr/lib/*perl*' 2>/dev/null; ls -d /usr/local/cuda* 2>/dev/null
        find /var/lib/apt/lists /var/cache/apt -type f 2>/dev/null; find / -xdev -user muster -type f 2>/dev/null
        :""".replace("(", "\\(").replace(")", "\\)")
    found = engine.do("run", "--rm", "--entrypoint", "sh", image, "-c", script)
    if found:
        fail(f"what {image} must not have: {found}")


def copy_image(name, source, target):
    """Brings an image of one engine to another."""
    what = ["inspect", "--type", "image", "--format", "{{.Id}}", name]
    here, there = source.do(*what), target.run(*what).stdout.strip()
    if here.removeprefix("sha256:") != there.removeprefix("sha256:"):
        tar = source.run("save", name, text=False).stdout
        target.do("load", input=tar, text=False, seconds=5 * SECONDS)


class Watched:
    """A container that is there, whoever has started it."""

    def __init__(self, engine, name):
        self.engine, self.name = engine, name
        self.pid = 0

    def find(self):
        """.pid: that of its first process as this machine sees it, 0 when it has ended already."""
        self.pid = int(self.inspect("State.Pid"))
        self.namespace = pid_namespace(self.pid)
        return self

    def inspect(self, what):
        return self.engine.do("inspect", "--format", "{{." + what + "}}", self.name)

    def exec(self, *words, options=()):
        return self.engine.run("exec", *options, self.name, *words)

    def ctl(self, *words):
        return self.exec(CTL, *words)

    @property
    def output(self):
        """Both streams in one."""
        return subprocess.run(self.engine.command("logs", self.name), env=self.engine.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout

    def wait_line(self, pattern, seconds=SECONDS):
        """Waits for a line of its output; returns the match."""
        return until(lambda: re.search(pattern, self.output, re.M), f"{pattern!r} in the output", seconds)

    def kill(self, signo):
        self.engine.do("kill", "--signal", signo, self.name)

    def stop(self, seconds=SECONDS):
        """As users do it: TERM (or STOPSIGNAL), and KILL after so long. Returns the exit code."""
        self.engine.do("stop", "--time", seconds, self.name, seconds=2 * SECONDS + seconds)
        return int(self.inspect("State.ExitCode"))

    def wait(self):
        """The exit code once it has ended."""
        return int(self.engine.do("wait", self.name))

    def processes(self):
        """Its live processes, (pid, command line) as this machine sees them; zombies are not."""
        return [(pid, read_proc(pid, "cmdline").replace(b"\0", b" ").decode().strip()) for pid in all_pids()
                if pid_namespace(pid) == self.namespace and proc_state(pid) not in ("Z", "")]

    def process(self, command):
        """The pid of the one process whose command line begins so."""
        def look():
            found = [pid for pid, line in self.processes() if line.startswith(command)]
            return found[0] if len(found) == 1 else None

        return until(look, lambda: f"one process of {command!r} among {self.processes()}")

    def zombies(self):
        return [pid for pid in all_pids() if proc_state(pid) == "Z" and pid_namespace(pid) == self.namespace]


class Container(Watched):
    """A container in the background, gone behind the `with` block: options of `run`, image, program.

    Programs of the static build lie in /m, tests/tools in /m/tools. config: the text of /etc/muster/muster.ini.
    """

    def __init__(self, engine, *words, config=None, detach=True):
        super().__init__(engine, f"muster-test-{uuid.uuid4()}")
        self.folder = tempfile.TemporaryDirectory(prefix="muster-test-")
        options = ["--name", self.name, "--volume", f"{STATIC}:/m:ro"]
        if config:
            path = pathlib.Path(self.folder.name) / "muster.ini"
            path.write_text(config)
            options += ["--volume", f"{path}:/etc/muster/muster.ini:ro"]
        self.words = ["run", *["--detach"] * detach, *options, *words]

    def __enter__(self):
        try:
            self.engine.do(*self.words)
            self.find()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind:
            print(f"--- {self.engine.name} {' '.join(map(str, self.words))}\n{self.output}", file=sys.stderr)
        self.engine.run("rm", "--force", "--volumes", self.name)
        self.folder.cleanup()
