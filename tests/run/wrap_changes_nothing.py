#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Without options the program finds everything as it would without init, and init says nothing."""
import json
import subprocess

from lib import INIT, Init, equal, tool

# what cannot be the same: numbers of processes, memory, and counters
VOLATILE = {"Pid", "Tgid", "PPid", "NStgid", "NSpid", "NSpgid", "NSsid", "SigQ", "voluntary_ctxt_switches",
            "nonvoluntary_ctxt_switches", "State"}


def portrait(me):
    me["status"] = {key: value for key, value in me["status"].items()
                    if key not in VOLATILE and not key.startswith(("Vm", "Rss"))}
    for key in ("pid", "ppid", "pgid", "sid"):
        del me[key]
    me["environment"] = [text for text in me["environment"] if not text.startswith("MTEST=")]
    return me


def strange():
    """A process that is unlike others, so that a change would show."""
    import os
    import resource
    os.umask(0o027)
    os.nice(3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (123, 456))
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 22, resource.RLIM_INFINITY))


with Init("--", tool("misbehave"), "identity", "-", pid1=False, setup=strange, cwd="/usr",
          env={"A": "1", "EMPTY": ""}) as init:
    equal(init.wait(), 0, "exit code")
    with_init = portrait(json.loads(init.stdout))
    # what this test itself was started with: signals ignored by whoever started it
    equal(with_init["status"].pop("SigIgn"), "0" * 16, "ignored signals")
    equal(init.stderr, "", "stderr")
    with open(init.path("stdout"), "wb") as out, open(init.path("stderr"), "ab") as err:
        subprocess.run([tool("misbehave"), "identity", "-"], preexec_fn=strange, cwd="/usr", env=init.env,
                       stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=True)
    without = portrait(json.loads(init.stdout))
    del without["status"]["SigIgn"]
    for key in without:
        equal(with_init[key], without[key], key)
    equal(INIT.exists(), True, "the program under test")
