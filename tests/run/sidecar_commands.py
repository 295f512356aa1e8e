# SPDX-License-Identifier: MIT
"""muster-sidecar probe, wait and health: each step's failure has an exit code of its own, what is
waited for is told, a command may follow, and addresses of the configuration are known to them."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading

from lib import SIDECAR, check, contains, equal, free_port, matches, until
from sidecarlib import OK, Page, Sidecar, Target, answering, h2, mute_until_closed, silent_port
from sidecarlib.hostile import Certificates


def run(*args, timeout=60, **env):
    return subprocess.run([SIDECAR, *args], capture_output=True, text=True, timeout=timeout, check=False,
                          env={"PATH": os.environ["PATH"], **env})


def codes(stack, certificates):
    """target: exit code and phase."""
    def port(serve):
        return stack.enter_context(Target(serve)).port

    nobody, closed = silent_port()
    stack.callback(nobody.close)
    grpc = port(h2.serving(lambda stream, name: h2.answer(stream, h2.health(1 if name == "db" else 2))))
    return {f"http://127.0.0.1:{port(answering(OK))}/": (0, None),
            f"127.0.0.1:{port(answering(OK))}": (0, None),
            f"http://:{port(answering(OK))}/": (0, None),
            f":{port(answering(OK))}": (0, None),
            f"https://127.0.0.1:{port(certificates.serve('good', answering(OK)))}/": (0, None),
            f"grpc://127.0.0.1:{grpc}/db": (0, None),
            f"grpc://127.0.0.1:{grpc}": (1, "status"),
            f"http://127.0.0.1:{port(answering(OK.replace(b'200', b'503')))}/": (1, "status"),
            "tcp://169.254.169.254:80": (3, "resolve"),
            "tcp://no.such.name.invalid.:80": ((3, 4), "resolve"),
            f"http://127.0.0.1:{port(mute_until_closed)}/": (4, "first byte"),
            f"tcp://127.0.0.1:{closed}": (6, "connect"),
            f"https://127.0.0.1:{port(certificates.serve('self', answering(OK)))}/": (7, "tls"),
            f"http://127.0.0.1:{port(lambda connection: connection.sendall(b'no'))}/": (8, "first byte")}


def check_probe():
    with contextlib.ExitStack() as stack:
        certificates = Certificates(stack.enter_context(tempfile.TemporaryDirectory()))
        for target, (code, phase) in codes(stack, certificates).items():
            timeout = "1500ms" if code in (4, (3, 4)) else "20s"
            result = run("probe", target, "--json", "--timeout", timeout, **certificates.env)
            found = json.loads(result.stdout)
            check(result.returncode in (code if isinstance(code, tuple) else (code,)), f"{target}: {result}")
            equal((target, found["exit_code"], found["ok"], found["phase"]),
                  (target, result.returncode, code == 0, phase), f"answer {found}")
            check(bool(found["reason"]) != found["ok"], found)
            check((found["tls_expiry"] is not None) == (target.startswith("https") and found["ok"]), found)
            text = run("probe", "--timeout", timeout, target, **certificates.env)
            equal((target, text.returncode), (target, result.returncode), "code without --json")
            matches(text.stdout, r"\A\S+: ok" if code == 0 else r"\A\S+: \w", "first line")
            if code == 0:
                matches(text.stdout, r"(?m)^  connect +\d+\.\d+ ms  127\.0\.0\.1:\d+$", "a step and its time")
            else:
                check(found["phase"] not in found["phases"] or found["phase"] == "status", found)


def check_wait():
    with Target(answering(OK)) as there:
        port = free_port()
        late = []

        def listen():
            late.append(socket.create_server(("127.0.0.1", port)))

        process = subprocess.Popen([SIDECAR, "wait", f"http://127.0.0.1:{there.port}/", f"127.0.0.1:{port}", "--", "echo",
                                    "--json", "-x"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
        reader.start()
        until(lambda: any(f"waiting for 127.0.0.1:{port}: connection refused" in line for line in said), "it says what it waits for")
        listen()
        equal(process.stdout.read(), "--json -x\n", "output of the command")
        equal(process.wait(60), 0, "exit code")
        reader.join()
        check(sum("answers after" in line for line in said) == 2, said)
        late[0].close()
        nobody, closed = silent_port()
        with nobody:
            result = run("wait", "--timeout", "3s", "--interval", "50ms", f"127.0.0.1:{there.port}", f"127.0.0.1:{closed}", "--", "echo")
            equal((result.returncode, result.stdout), (4, ""), "one that never answers")
            contains(result.stderr, f"timed out: 127.0.0.1:{closed}: connection refused", "message")
        result = run("wait", f"127.0.0.1:{there.port}", "--", "/no/such/program")
        equal(result.returncode, 127, "a program that is not there")
        contains(result.stderr, "cannot run /no/such/program", "message")
        result = run("wait", f"127.0.0.1:{there.port}", "--", "sh", "-c", "kill -PIPE $$; exit 7")
        equal(result.returncode, -13, "the command has the signals as they were")


def check_addresses():
    with Target(answering(OK)) as there, tempfile.TemporaryDirectory() as directory:
        config = pathlib.Path(directory) / "muster.ini"
        nobody, closed = silent_port()
        config.write_text(f"[muster]\nmode = testing\n[address:here]\nport = {there.port}\ntesting = 127.0.0.1\n"
                          f"[address:gone]\nport = {closed}\ntesting = 127.0.0.1\n")
        equal(run("-c", config, "probe", "address:here").returncode, 0, "an address that answers")
        equal(run("-c", config, "wait", "address:here", f"127.0.0.1:{there.port}").returncode, 0, "wait")
        equal(run("-c", config, "probe", "address:none").returncode, 3, "an address that is not there")
        result = run("-c", config, "probe", "address:gone", "--timeout", "20s")
        equal(result.returncode, 1, "one that does not answer")
        contains(result.stdout, "connection refused", "why")
        config.write_text("[address:here]\nnonsense = 1\n")
        equal(run("-c", config, "probe", "address:here").returncode, 78, "a bad configuration")
        nobody.close()


def check_health():
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, [{"name": "db", "state": "starting"}])
        url = f"http://127.0.0.1:{sidecar.port}"
        result = run("health", url)
        equal(result.returncode, 1, "not ready")
        contains(result.stdout, "starting\ndb:", "the answer is printed")
        equal(run("health", "--startup", url).returncode, 1, "not started")
        equal(run("health", "--live", url).returncode, 0, "alive")
        page.set("db", state="ready")
        page.set_phase("ready")
        until(lambda: run("health", "--ready", f"127.0.0.1:{sidecar.port}/").returncode == 0, "ready")
        equal(run("health", f"{url}/readyz/db").returncode, 0, "one service")
        equal(run("health", f"{url}/readyz/none").returncode, 1, "none of that name")
    result = run("health", url)
    equal((result.returncode, result.stdout), (1, ""), "nobody there")
    contains(result.stderr, "connection refused", "why")
    with Target(mute_until_closed) as mute:
        equal(run("health", f"http://127.0.0.1:{mute.port}", "--timeout", "200ms").returncode, 1, "no answer")
    with Target(answering(b"HTTP/1.1 500 X\r\nContent-Length: 6\r\n\r\n\x1b[2J\x00\n")) as rude:
        equal(run("health", f"http://127.0.0.1:{rude.port}").stdout, "?[2J?\n", "what a terminal would obey")


def check_usage():
    for args in (["probe"], ["probe", "a:1", "b:1"], ["wait"], ["health", "a", "b"], ["probe", "ftp://a/"], ["probe", "a"],
                 ["wait", "a:1", "nonsense"], ["health", "tcp://a:1"], ["probe", "a:1", "--", "echo"], ["frobnicate"],
                 ["wait", "a:1", "--timeout", "soon"], ["wait", "a:1", "--interval", "0"]):
        result = run(*args)
        equal((args, result.returncode, result.stdout), (args, 2, ""), f"wrong use ({result.stderr})")
        check(result.stderr, args)


def check_completions():
    file = pathlib.Path(__file__).resolve().parents[2] / "docs/completions/muster-sidecar.bash"
    script = """source "$0"; COMP_WORDS=("$1" "${@:2}"); COMP_CWORD=$(($# - 1)); _muster_sidecar; echo "${COMPREPLY[*]}" """

    def offered(*words):
        result = subprocess.run(["bash", "-c", script, file, SIDECAR, *words], capture_output=True, text=True, check=True)
        equal(result.stderr, "", "what bash says")
        return set(result.stdout.split())

    equal(offered(""), {"resolve", "probe", "wait", "health"}, "commands")
    equal(offered("health", "--li"), {"--listen", "--live"}, "options")
    equal(offered("probe", ""), set(), "targets")


check_usage()
check_completions()
check_probe()
check_wait()
check_addresses()
check_health()
