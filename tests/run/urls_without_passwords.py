# SPDX-License-Identifier: MIT
"""Wherever a URL is shown, its user, password and query are not: one-shot commands, wrong use, errors of the configuration."""
import json
import subprocess

from lib import CTL, INIT, SIDECAR, Init, check, contains, equal, free_port, tool

SECRET = "canary5f2c"
PORT = free_port()
URL = f"http://user:{SECRET}@127.0.0.1:{PORT}/path?token={SECRET}#{SECRET}"
SHOWN = f"http://***@127.0.0.1:{PORT}/path?***"
WRONG = (  # a line of a configuration, and what is shown of it
    (f"readiness_probe = http://user:{SECRET}@host:x/", "http://***@host:x/"),
    (f"readiness_probe = http://user:{SECRET}/x@host/", "http://***@host/"),
    (f"readiness_probe = htp://user:{SECRET}@host/?{SECRET}", "htp://***@host/?***"),
    (f"readiness_probe = tcp://user:{SECRET}@host:80", "tcp://***@host:80"),
    (f"readiness_probe = grpc://host:80/?{SECRET}", "grpc://host:80/?***"),
    (f"readiness_probe =\n    {URL}\n    {URL}", SHOWN[:40]),
    (f"[peer:b]\nurl = http://user:{SECRET}@host:80", "http://***@host:80"),
    (f"[peer:b]\nurl = http://host:80/?{SECRET}", "http://host:80/?***"),
)


def run(*words):
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    said = result.stdout + result.stderr
    check(SECRET not in said, f"{words}: {said}")
    return result.returncode, said


def check_once():
    code, said = run(SIDECAR, "probe", URL)
    equal((code, said.splitlines()[0]), (6, f"{SHOWN}: connection refused"), "probe")
    code, said = run(SIDECAR, "probe", "--json", URL)
    equal((code, json.loads(said)["target"]), (6, SHOWN), "probe --json")
    code, said = run(SIDECAR, "wait", "--timeout", "2s", "--interval", "50ms", URL, f"user:{SECRET}@127.0.0.1:{PORT}")
    equal(code, 4, "wait")
    for shown in (SHOWN, f"***@127.0.0.1:{PORT}"):
        contains(said, f"waiting for {shown}: ", "wait")
        contains(said, f"timed out: {shown}: ", "wait")
    code, said = run(SIDECAR, "health", URL)
    equal(code, 1, "health")
    contains(said, SHOWN, "health")
    for words in (("probe", f"http://user:{SECRET}@:x"), ("wait", f"user:{SECRET}@host"), ("health", f"ftp://user:{SECRET}@host/"),
                  (f"http://user:{SECRET}@host",), ("--peer", f"b=ftp://user:{SECRET}@host"),
                  ("--peer", f"b=http://user:{SECRET}@host")):
        code, said = run(SIDECAR, *words)
        equal(code, 2, f"{words}: {said}")
        contains(said, "***@", "wrong use")


def check_errors():
    good = f"[service:web]\ncommand = {tool('misbehave')} forever\n"
    with Init(config=good) as init:
        init.wait_line("all ready after")
        for line, shown in WRONG:
            init.write("muster.ini", good + line + "\n")
            path = str(init.dir / "muster.ini")
            for words in ((CTL, "check", path), (INIT, "--check", "-c", path)):
                code, said = run(*map(str, words))
                check(code != 0, f"{line}: {said}")
                contains(said, shown, f"{words}")
            reload = init.ctl("reload")
            contains(reload.stdout + reload.stderr, shown, "reload")
            check(SECRET not in reload.stdout + reload.stderr, reload)
        init.signal(15)
        init.wait()
        check(SECRET not in init.stderr, init.stderr)


check_once()
check_errors()
