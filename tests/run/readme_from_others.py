# SPDX-License-Identifier: MIT
"""What README.md says to those who come from supervisord and s6-overlay works as it is written there."""

import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from lib import CTL, INIT, SIDECAR, Init, check, contains, equal, namespace_command, need, need_root, proc_status, until
from readmelib import blocks

SUPERVISORD = """
[supervisord]
nodaemon=true
[program:api]
command=redis-cli -h 127.0.0.1 monitor
priority=10
[program:cache]
command=redis-server --port 6379 --save ""
priority=20
"""
# s6-overlay's, which sets up what comes before the program
RUN = """#!/bin/sh
exec 2>&1
echo {name} sees $COLOUR
{ready}
exec sleep 1000
"""


def ask(env, *words):
    return subprocess.run([CTL, *words], env=env, capture_output=True, text=True, check=False)


def from_supervisord(text):
    need("redis-server")
    need("ip")
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for program in (INIT, CTL, SIDECAR):
            shutil.copy(program, folder)
        (folder / "supervisord.conf").write_text(SUPERVISORD)
        env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "MUSTER_RUN_DIR": f"{folder}/run"}
        words = [*namespace_command(), "unshare", "--net", "sh", "-e", "-c", "ip link set lo up\n" + text]
        with open(folder / "log", "wb") as log, subprocess.Popen(words, cwd=folder, env=env, stdout=log, stderr=log,
                                                                 stdin=subprocess.DEVNULL) as process:
            try:
                until((folder / "run/control.sock").exists, lambda: (folder / "log").read_text())
                equal(ask(env, "wait", "--timeout", "60s").returncode, 0, "exit code of musterctl wait")
                status = ask(env, "status").stdout
                contains(status, "2 of 2 ready", "status")
                line = json.loads(ask(env, "timeline", "--format", "json").stdout)
                when = {one["name"]: one for one in line["services"]}
                check(when["cache"]["ready_at"] <= when["api"]["start_begin"], f"the order: {line}")
                contains((folder / "muster.ini").read_text(), "NOTE, line 6: priority = 10", "the converted file")
                equal(ask(env, "shutdown").returncode, 0, "exit code of musterctl shutdown")
                equal(process.wait(60), 0, "exit code of muster-init")
            finally:
                process.kill()


def from_s6(text):
    need_root()
    init = Init(config=text.replace("/etc/s6-overlay", "{dir}/s6"), env={"COLOUR": "green"})
    for name, ready in (("redis", f"until [ -e {init.path('go')} ]; do sleep 0.01; done; echo >&3"), ("web", "id -un")):
        init.write(f"s6/s6-rc.d/{name}/run", RUN.format(name=name, ready=ready), 0o755)
    with init:
        init.wait_line("redis sees green", "stdout", 60)
        equal(init.services()["web"]["state"], "waiting", "web, as long as redis is not ready")
        init.write("go", "")
        web = init.wait_state("web", "running", seconds=60)
        init.wait_line("www-data$", "stdout")
        equal(proc_status(init.outside(web["pid"]))["Uid"].split()[0], str(pwd.getpwnam("www-data").pw_uid), "user of web")
        init.signal(signal.SIGTERM)
        equal(init.wait(), 0, "exit code")


def main():
    supervisord, _, s6 = blocks("From supervisord, tini, s6-overlay", ["musterctl", "FROM", "[service:redis]"])
    from_supervisord(supervisord)
    from_s6(s6)


main()
