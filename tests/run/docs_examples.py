# SPDX-License-Identifier: MIT
"""EXAMPLES of the manual pages work: each configuration there is right, each command there does what it is to do."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from docslib import page, section
from lib import CTL, INIT, IS_ROOT, SIDECAR, check, equal, namespace_command, need

PAGES = ("muster-init.8", "muster-sidecar.8", "musterctl.1", "muster.ini.5", "gpu-check.1")
SETTING = {"MUSTER_PROFILES": "work", "MUSTER_MODE": "production", "DB_HOST": "db.internal"}
CONFIG = """
[sidecar]
listen = 127.0.0.1:9180
[service:migrate]
type = oneshot
command = true
[service:api]
command = sleep 1000
depends_on = migrate
"""
STANDS_FOR = (  # of an example; what is on this machine
    (r"--user app\b", "--user nobody"), ("/run/secrets", "$PWD/secrets"), ("db:5432", "127.0.0.1:9180"),
    (r"^exec |&& exec ", lambda all: all[0].replace("exec ", "")), (r"\$ (?=\w)", ""),
)
STUBS = {"server": "exit 0", "nginx": "exit 0", "dot": "cat", "jq": "cat", "gpu-check": "exit 0"}


def text_of(name):
    """EXAMPLES without its mdoc: code in lines of its own, what else there is with a % before it."""
    text = section(page(name), "EXAMPLES").replace("\\e", "\\").replace("\\(dq", '"')
    literal, lines = False, []
    for line in text.splitlines():
        if line.startswith((".Bd", ".Ed")):
            literal = line.startswith(".Bd")
        elif line.startswith(".Dl "):
            lines.append(line[4:])
        else:
            lines.append(line if literal else f"% {line}")
    return re.sub(r"\\\n\s*", "", "\n".join(lines))


def configurations(text):
    return [block for block in re.findall(r"^(\[.*?)(?=^[%$]|\Z)", text + "\n", re.M | re.S)]


def commands(text):
    """What is typed, and what an image's health check or entry point types."""
    for line in text.splitlines():
        words = re.search(r"^(?:HEALTHCHECK .*CMD|ENTRYPOINT) \[(.*)\]", line)
        if words:
            yield " ".join(re.findall(r'"([^"]*)"', words[1])) + (" true" if "ENTRYPOINT" in line else "")
        elif re.match(r"(?:\$ )?(?:muster|curl)", line):
            yield line


def as_here(command):
    for pattern, word in STANDS_FOR:
        command = re.sub(pattern, word, command)
    return command


def check_configurations(folder):
    for name in PAGES:
        for number, block in enumerate(configurations(text_of(name))):
            path = folder / f"{name}.{number}"
            path.write_text(block)
            done = subprocess.run([INIT, "-n", "-c", path], env=SETTING | {"PATH": os.environ["PATH"]}, capture_output=True,
                                  text=True, check=False)
            equal((done.returncode, done.stdout), (0, "ok\n"), f"{name}: {done.stderr}\n{block}")


def run_commands(folder):
    """In one shell and namespaces of its own: first those of muster-init, the last of which stays."""
    found = [(name, as_here(line)) for name in PAGES for line in commands(text_of(name))]
    for program in ("muster-init ", "musterctl ", "muster-sidecar ", "curl "):
        check(any(line.startswith(program) for _, line in found), f"there is no example of {program}")
    script = ["set -e", 'trap \'echo "failed: $command" >&2\' EXIT']
    for name, line in found:
        if line == "muster-sidecar -c watch.ini":
            continue  # it stays, and its configuration has been looked at
        if "--user" in line and not IS_ROOT:
            print(f"not run, as it needs root: {line}")
            continue
        script.append(f"command='{name}: {line.replace(chr(39), '')}'")
        if line.endswith("muster-init -c muster.ini"):
            line += " 2>log & musterctl wait --timeout 60s; until grep -q 'serving http' log; do sleep 0.05; done"
        script.append(f"{line} >out" if ">" not in line else line)
    script += ["musterctl shutdown", "trap - EXIT"]
    env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "MUSTER_RUN_DIR": f"{folder}/run", "HOME": "/"}
    words = [*namespace_command(), "unshare", "--net", "sh", "-c", "ip link set lo up\n" + "\n".join(script)]
    done = subprocess.run(words, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=110,
                          check=False)
    equal(done.returncode, 0, f"the examples: {done.stderr}\n{(folder / 'log').read_text() if (folder / 'log').exists() else ''}")
    for picture, begins in (("startup.svg", "<svg"), ("graph.svg", "digraph")):
        check(begins in (folder / picture).read_text(), f"{picture} is none")


need("ip")
need("curl")
with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
    folder = pathlib.Path(name)
    folder.chmod(0o755)
    for path in ("bin", "secrets"):
        (folder / path).mkdir()
    for program in (INIT, CTL, SIDECAR):
        shutil.copy(program, folder / "bin")
    for stub, does in STUBS.items():
        (folder / "bin" / stub).write_text(f"#!/bin/sh\n{does}\n")
        (folder / "bin" / stub).chmod(0o755)
    (folder / "api").write_text("#!/bin/sh\n")
    (folder / "api").chmod(0o755)
    (folder / "secrets/key").write_text("hush\n")
    (folder / "muster.ini").write_text(CONFIG)
    check_configurations(folder)
    run_commands(folder)
