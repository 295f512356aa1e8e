# SPDX-License-Identifier: MIT
"""In the place of the engine's own init (`run --init`) it passes on signals and exit codes, and reaps orphans."""
from imagelib import BASE, INIT, STATIC, TOOL, engines

from lib import equal, until


def ways(engine):
    """How an engine is given another init: that of the daemon, a file over its own, an option."""
    if engine.name == "podman":
        return [["--init", "--init-path", STATIC / "muster-init"]]
    return [["--init"], ["--init", "--volume", f"{STATIC}/muster-init:/sbin/docker-init:ro"]]


for engine in engines():
    for way in ways(engine):
        with engine.container(*way, BASE, TOOL, "orphans", 100, "orphan", "[", "setsid", "ignore", "TERM", "forever",
                              "]", "print", "up", "on", "TERM", "[", "exit", 7, "]", "forever") as container:
            container.wait_line("^up$")
            equal(container.exec("readlink", "/proc/1/exe").stdout.split("/")[-1].strip(),
                  "docker-init" if engine.name == "docker" else "podman-init", "what PID 1 is")
            equal(container.exec("cmp", "/proc/1/exe", INIT).returncode, 0, "difference to our own")
            # PID 1, the program, and its orphan
            until(lambda: (len(container.processes()), container.zombies()) == (3, []), "orphans are reaped")
            equal(container.stop(), 7, "exit code behind TERM")
        for code, program in ((3, [TOOL, "exit", 3]), (143, [TOOL, "die", "TERM"]), (139, [TOOL, "crash"]),
                              (126, ["/etc/passwd"]), (127, ["no-such-program"])):
            equal(engine.run("run", "--rm", "--volume", f"{STATIC}:/m:ro", *way, BASE, *program).returncode, code,
                  f"exit code of {program}")
