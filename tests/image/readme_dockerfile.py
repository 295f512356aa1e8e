# SPDX-License-Identifier: MIT
"""What README.md says of Dockerfiles works as it is written there."""
import pathlib
import tempfile

from imagelib import build_images, engines
from imagelib.readme import DOCKERFILE_BLOCKS, command, in_turn, run

from lib import Failure, check, contains, equal, matches, proc_status
from readmelib import blocks


def main():
    engine = engines()[0]
    build_images(engine)
    one, restricted, config, many, commands = blocks("In a Dockerfile", DOCKERFILE_BLOCKS)
    with in_turn(), tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        env = command(engine, folder)
        (folder / "muster.ini").write_text(config)
        (folder / "Dockerfile").write_text(one)
        run("docker build --tag one .", env, folder)
        with engine.container("one") as container:
            equal([line for _, line in container.processes()], ["muster-init -- sleep 1h", "sleep 1h"], "processes")
            equal(container.stop(), 143, "exit code of what TERM ends")
        (folder / "Dockerfile").write_text(one + "RUN useradd app\n" + restricted)
        run("docker build --tag one .", env, folder)
        with engine.container("one") as container:
            status = proc_status(container.process("sleep 1h"))
            check(status["Uid"].split()[0] != "0", "the user is still root")
            equal((int(status["CapBnd"], 16), status["Seccomp_filters"]), (0, "2"), "capabilities, filters")
        (folder / "Dockerfile").write_text(blocks("From supervisord, tini, s6-overlay", ["musterctl", "FROM", "[service:redis]"])[1])
        run("docker build --tag one .", env, folder)
        with engine.container("one") as container:
            equal([line for _, line in container.processes()], ["/usr/bin/tini -g -- sleep 1h", "sleep 1h"], "in tini's place")
            equal(container.stop(), 143, "exit code of what TERM ends")
        (folder / "Dockerfile").write_text(many)
        try:
            output = run(commands, env, folder)
            for service, state in (("redis", "ready"), ("greeting", "completed")):
                matches(output, rf"^{service} +.*{state}", "status")
            logs = engine.run("logs", "shop")
            contains(logs.stdout + logs.stderr, "none had to be killed", "last word")
            equal(engine.do("inspect", "--format", "{{.State.ExitCode}}", "shop"), "0", "exit code")
        except Failure:
            print(engine.run("logs", "shop"))
            raise
        finally:
            engine.run("rm", "--force", "shop")
            engine.run("rmi", "--force", "shop", "one")


main()
