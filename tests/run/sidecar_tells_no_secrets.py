# SPDX-License-Identifier: MIT
"""Twenty secrets in the environment, in command lines, in URLs, in files and in requests: none of them is
in any answer of the sidecar, in what it or init logs, or in an answer of the control socket."""

import http.client
import os
import pathlib

from lib import Init, check, equal, free_port, tool, until
from sidecarlib import answering, Target
from sidecarlib.events import Stream

SECRETS = [f"canary{number:02}{os.urandom(6).hex()}" for number in range(20)]
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
PATHS = """/livez /livez?verbose /readyz /readyz?verbose /readyz/web /readyz/down /startupz?verbose /health /status
/metrics /resolve /resolve/store /timeline /timeline.svg /fleet / /nope""".split()
COMMANDS = ("status", "status --json", "status web", "timeline", "timeline --format json", "timeline --format svg", "graph",
            "graph --format dot", "resolve", "resolve store", "resolve --json", "health", "reload --dry-run", "logs -n 100",
            "check", "wait --timeout 1ms")


class Secrets:
    """Gives each secret out once."""

    def __init__(self):
        self.left = list(SECRETS)

    def __call__(self):
        return self.left.pop()


def config(secret, target, down, port):
    return f"""
[sidecar]
listen = 127.0.0.1:{port}
[address:store]
fallback = 127.0.0.1:{target}
export = STORE_URL=redis://user:{secret()}@{{host}}:{{port}}/0
[service:web]
command = {tool("misbehave")} forever --password={secret()} --token {secret()}
environment =
    PASSWORD={secret()}
    API_KEY={secret()}
env_file = {{dir}}/env
secrets = {{dir}}/secrets
readiness_probe = http://user:{secret()}@127.0.0.1:{target}/{secret()}?token={secret()}
readiness_probe_period = 100ms
[service:down]
command = {tool("misbehave")} forever {secret()}
environment = SECRET={secret()}
readiness_probe = http://{secret()}@127.0.0.1:{down}/?key={secret()}
    file:/
readiness_probe_period = 100ms
essential = no
[service:broken]
command = /nowhere/{{nothing}} --key={secret()}
essential = no
restart = no
"""


def gather_http(port, secret):
    """All that is answered, with requests that carry secrets themselves."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {secret}", "Cookie": f"session={secret}", "X-Token": secret,
               "User-Agent": secret, "Referer": f"http://x/?{secret}", "Origin": f"http://{secret}"}
    for path in [*PATHS, f"/readyz/{secret}", f"/{secret}", f"/readyz?verbose&exclude={secret}", f"/livez?verbose={secret}"]:
        for method in ("GET", "HEAD", "POST"):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
            check(method != "GET" or path == "/nope" or body, f"{path}: an answer")
            yield f"{method} {path}", f"{answer.headers}{body}"
            if answer.will_close:
                connection.close()


def gather_ctl(init):
    for words in COMMANDS:
        done = init.ctl(*words.split())
        yield f"musterctl {words}", done.stdout + done.stderr


def check_all(init, answers, own):
    """`own`: a secret that the client has sent itself is no secret for the client, but none for a log."""
    for where, text in answers:
        for secret in SECRETS:
            check(secret[:10] not in text or (secret == own and not where.startswith("log")), f"{where}: {text[:2000]}")
    equal(len(SECRETS), 20, "secrets")


def main():
    secret = Secrets()
    with Target(answering(REFUSED)) as target:
        port, down = free_port(), free_port()
        init = Init("--verbose", config=config(secret, target.port, down, port), env={"OUTER_TOKEN": secret()})
        init.write("env", f"FROM_FILE={secret()}\n")
        init.write("secrets/db_password", secret())
        own = secret()
        for kind in ("X", "Y", "Z", "W"):
            if secret.left:
                init.env[f"OUTER_{kind}"] = secret()
        equal(secret.left, [], "all are somewhere")
        with init:
            init.wait_line("serving http://")
            until(lambda: target.accepted, "the probe has come")
            with Stream(type("Port", (), {"port": port})) as stream:
                until(lambda: "503" in (init.ctl("status").stdout), "what the probe has found is told")
                init.ctl("stop", "down")
                stream.wait(lambda: len(stream.queue) > 1, "events")
                answers = [("events", str(stream.queue))]
            environment = pathlib.Path(f"/proc/{init.outside(init.services()['web']['pid'])}/environ").read_text()
            check(sum(one in environment for one in SECRETS) >= 4, "the service itself has them")
            answers += list(gather_http(port, own)) + list(gather_ctl(init))
            init.signal(15)
            init.wait()
            answers += [("log of init and of the sidecar", init.stderr), ("log of services", init.stdout)]
            check("serving http" in init.stderr, "the sidecar logs there")
        check_all(init, answers, own)


main()
