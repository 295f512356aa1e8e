# SPDX-License-Identifier: MIT
"""The arm64 programs wrap, supervise, probe and report as those for x86-64 do, as process 1 of a PID namespace; in qemu's
emulation of a process.

That emulation passes system calls on to this machine's kernel, so what is not shown here is what it has none of:
a subreaper and seccomp filters. musterctl and muster-sidecar are started through a script, as the kernel would run
them only with the emulator registered."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import urllib.request

from distlib import DIST, VERSION, archive, machine, run, unpack
from lib import Failure, check, contains, equal, namespace_command, need, proc_children, skip, until

if machine() == "arm64":
    skip("this is arm64: archive.py runs the programs")
qemu = need("qemu-aarch64-static")
CONFIG = """
[muster]
name = emulated
stop_timeout = 60s
[sidecar]
program = {folder}/muster-sidecar
listen = 127.0.0.1:{port}
[service:first]
type = oneshot
command = sh -c 'echo one >>{folder}/order'
[service:second]
depends_on = first
command = sh -c 'trap "echo stopped >>{folder}/order; exit 0" TERM; echo two >>{folder}/order; while :; do sleep 0.1; done'
readiness_probe = tcp://127.0.0.1:{other}
[service:third]
depends_on = second
command = sh -c 'echo three >>{folder}/order; exec sleep 1000'
"""


def wrap(*words):
    code, out, _ = run(qemu, tree / "bin/muster-init", *words, seconds=120)
    return code, out


# Says its number and then "up"; on TERM it waits for an orphan of its own to vanish, which a zombie does not.
ORPHAN = """
sh -c 'sleep 1000 & echo $! >"$1"' sh "$1"
trap 'read orphan <"$1"; kill "$orphan"; while [ -e "/proc/$orphan" ]; do sleep 0.05; done; echo gone; exit 9' TERM
echo "child of $PPID"; echo up
while :; do sleep 0.05; done
"""


def wrap_as_pid1():
    """Start, forwarding, reaping, exit code."""
    with open(folder / "said", "w+", encoding="utf-8") as said:
        outer = subprocess.Popen([*namespace_command(), qemu, tree / "bin/muster-init", "--", "sh", "-c", ORPHAN, "sh", folder / "orphan"],
                                 stdin=subprocess.DEVNULL, stdout=said, start_new_session=True)
        try:
            until(lambda: "up\n" in (folder / "said").read_text(), "the program is up", 100)
            os.kill(pid1_of(outer), signal.SIGTERM)
            equal(outer.wait(timeout=100), 9, "exit code of process 1")
        finally:
            end(outer)
        equal((folder / "said").read_text(), "child of 1\nup\ngone\n", "what its program wrote")


def pid1_of(outer):
    """The process that unshare has made process 1."""
    return until(lambda: proc_children(outer.pid), "unshare forks", 100)[0]


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def script(name):
    path = folder / name
    path.write_text(f'#!/bin/sh\nexec {qemu} -L {DIST}/root-arm64 {tree}/bin/{name} "$@"\n')
    path.chmod(0o755)
    return path


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def fetch(path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None, ""


def supervise():
    script("muster-sidecar")
    ctl = script("musterctl")
    config = folder / "muster.ini"
    config.write_text(CONFIG.format(folder=folder, port=port, other=probed.getsockname()[1]))
    equal(run(qemu, tree / "bin/muster-init", "-n", "-c", config)[:2], (0, "ok\n"), "check of a configuration")
    with open(folder / "log", "w", encoding="utf-8") as log:
        init = subprocess.Popen([*namespace_command(), qemu, tree / "bin/muster-init", "-c", config], stdin=subprocess.DEVNULL,
                                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                env=os.environ | {"MUSTER_RUN_DIR": str(folder / "run")})
    try:
        until(lambda: fetch("/readyz")[0] == 200, "/readyz answers 200", 200)
        until(lambda: (folder / "order").read_text() == "one\ntwo\nthree\n", "they start in order", 100)
        services = {entry["name"]: entry["state"] for entry in json.loads(fetch("/status")[1])["services"]}
        equal({name: services[name] for name in ("first", "second", "third")},
              {"first": "completed", "second": "ready", "third": "running"}, "states in /status")
        contains(fetch("/metrics")[1], f'version="{VERSION}"', "/metrics")
        contains(run(ctl, "--run-dir", folder / "run", "status")[1], "second", "musterctl status")
        os.kill(pid1_of(init), signal.SIGTERM)
        equal(init.wait(timeout=120), 0, "exit code")
        contains((folder / "order").read_text(), "stopped\n", "what second wrote at its end")
    except Failure as failure:
        raise Failure(f"{failure}; the log:\n{(folder / 'log').read_text()}") from failure
    finally:
        end(init)


packed = archive("arm64")
with tempfile.TemporaryDirectory(prefix="muster-arm64-") as temporary, socket.create_server(("127.0.0.1", 0)) as probed:
    folder = pathlib.Path(temporary)
    folder.chmod(0o755)  # the sidecar runs as another user
    tree = unpack(packed, folder)
    port = free_port()
    for name in ("muster-init", "musterctl", "muster-sidecar"):
        code, header, _ = run("readelf", "-h", tree / "bin" / name)
        contains(header, "AArch64", f"header of {name}")
        equal(run(qemu, "-L", DIST / "root-arm64", tree / "bin" / name, "--version")[:2], (0, f"{name} {VERSION}\n"), "--version")
    for code in (0, 1, 7, 255):
        equal(wrap("--", "sh", "-c", f"exit {code}")[0], code, "exit code")
    equal(wrap("--", "/nothing")[0], 127, "exit code for a program that is not there")
    equal(wrap("--", "sh", "-c", "kill -TERM $$")[0], 128 + signal.SIGTERM, "exit code for a signal")
    equal(wrap("--", "echo", "a b", "c"), (0, "a b c\n"), "what the program wrote")
    equal(wrap("--nothing")[0], 2, "exit code for an option that there is not")
    check((tree / "share/man/man8/muster-init.8").is_file(), "the manual page is there")
    wrap_as_pid1()
    supervise()
