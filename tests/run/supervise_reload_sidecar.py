# SPDX-License-Identifier: MIT
"""A reload starts the sidecar when the first network probe comes, keeps it while there are some, and stops it after the last."""
from lib import Init, contains, equal, free_port, tool, until

M = tool("misbehave")
A, B, HTTP = free_port(), free_port(), free_port()
SIDECAR = f"[sidecar]\nlisten = 127.0.0.1:{HTTP}\n"
PLAIN = f"[service:plain]\ncommand = {M} forever\n"


def web(name, port):
    return (f"[service:{name}]\ncommand = {M} http {port} {{dir}}/{name} forever\n"
            f"readiness_probe = http://127.0.0.1:{port}/\nreadiness_probe_period = 20ms\n"
            "readiness_probe_failure_threshold = 1\nreadiness_probe_timeout = 10s\n")


with Init(config=PLAIN) as init:
    init.wait_line("all ready after")

    def reload(text):
        init.write("muster.ini", init.fill(text))
        equal(init.ctl("reload").returncode, 0, "exit code of musterctl reload")

    def follows(name):
        """The sidecar's verdicts about a service arrive there, and nowhere else."""
        others = {n: s["state"] for n, s in init.services().items() if n != name}
        init.write(name, "500 Internal Server Error")
        init.wait_state(name, "unhealthy")
        init.write(name, "200 OK")
        init.wait_state(name, "ready")
        equal({n: s["state"] for n, s in init.services().items() if n != name}, others, "the others")

    # one that is not there is told, and what runs goes on
    init.write("muster.ini", init.fill(SIDECAR + "program = /nonesuch/sidecar\n" + PLAIN + web("a", A)))
    result = init.ctl("reload")
    equal((result.returncode, sorted(init.services())), (1, ["plain"]), f"exit code and services, with {result.stderr}")
    contains(result.stderr, "[sidecar] program: ", "what is said of it")
    reload(SIDECAR + PLAIN + web("a", A))
    init.wait_state("a", "ready")
    follows("a")
    sidecar = init.services()["muster-sidecar"]["pid"]
    web_pid = init.services()["a"]["pid"]
    # another place for what stays, another service in its old one
    reload(SIDECAR + web("b", B) + PLAIN + web("a", A))
    init.wait_state("b", "ready")
    follows("a")
    follows("b")
    services = init.services()
    equal((services["muster-sidecar"]["pid"], services["a"]["pid"]), (sidecar, web_pid), "processes that stay")
    reload(SIDECAR + web("b", B))
    until(lambda: "a" not in init.services(), "a is gone")
    follows("b")
    equal(init.services()["muster-sidecar"]["pid"], sidecar, "the sidecar")
    reload(PLAIN)
    until(lambda: list(init.services()) == ["plain"], "the sidecar is gone, too")
    reload(SIDECAR + PLAIN + web("a", A))
    init.wait_state("a", "ready")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
