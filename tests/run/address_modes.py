# SPDX-License-Identifier: MIT
"""One configuration, five modes, switched by one variable: musterctl, muster-sidecar and the services
are told the same, and why."""

import json
import os
import subprocess

from lib import CTL, SIDECAR, Init, contains, equal
from sidecarlib import Target

EXPECTED = {"development": "127.0.0.1", "testing": "127.0.0.2", "container": "127.0.0.3", "kubernetes": "127.0.0.4",
            "production": "127.0.0.5"}


def run(program, *args, **env):
    return subprocess.run([str(program), *map(str, args)], capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], **env})


def main():
    with Target(host="0.0.0.0") as target:
        for mode, host in EXPECTED.items():
            env = {"MUSTER_MODE": mode, "REDIS_SERVICE_HOST": "127.0.0.4", "REDIS_SERVICE_PORT": str(target.port)}
            config = f"""
[address:redis]
port = {target.port}
development = 127.0.0.1
testing = 127.0.0.2
container = 127.0.0.3
production = ${{NOT_SET}}:1, 127.0.0.5
export = REDIS_URL=redis://{{host}}:{{port}}/0
[service:app]
type = oneshot
command = sh -c 'echo "$MUSTER_MODE $MUSTER_ADDRESS_REDIS $REDIS_URL $1"' app ${{address:redis}}
"""
            with Init(config=config, env=env) as init:
                equal(init.wait(), 0, "exit code")
                where = f"{host}:{target.port}"
                contains(init.stdout, f"{mode} {where} redis://{where}/0 {where}\n", "what the service is told")
                ini = init.path("muster.ini")
                by_ctl = run(CTL, "-c", ini, "resolve", "--json", "redis", **env)
                by_sidecar = run(SIDECAR, "-c", ini, "resolve", "--json", "redis", **env)
                equal((by_ctl.returncode, by_sidecar.returncode), (0, 0), "exit codes")
                one, other = json.loads(by_ctl.stdout), json.loads(by_sidecar.stdout)
                equal((one["mode"], one["mode_source"], one["host"]), (mode, "environment MUSTER_MODE", host), "resolve")
                equal((one["state"], other["state"]), (None, "up"), "only the sidecar looks")
                for answer in (one, other):
                    for field in ("state", "age_seconds", "places"):
                        del answer[field]
                equal(one, other, "the same answer")
                equal(run(CTL, "-c", ini, "resolve", "redis", **env).stdout, where + "\n", "musterctl resolve")
                equal(run(SIDECAR, "-c", ini, "resolve", "redis", **env).stdout, where + "\n", "muster-sidecar resolve")
                text = run(CTL, "-c", ini, "resolve", "--explain", "redis", **env).stdout
                contains(text, f"redis is {where}\n  mode  {mode} (environment MUSTER_MODE)\n", "explained")
                contains(run(SIDECAR, "-c", ini, "resolve", "--explain", "redis", **env).stdout, f"{where} is up", "looked at")
                equal(run(SIDECAR, "-c", ini, "resolve", "nobody", **env).returncode, 3, "an unknown name")


main()
