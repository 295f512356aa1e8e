# SPDX-License-Identifier: MIT
"""The reference stack (demo/reference/generate.py): 84 services on two hosts, from `up` to all ready."""
import contextlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

import cgroup
import lib

sys.path.insert(0, str(lib.ROOT / "scripts"))
import demolib
import demolib.reference as demo
from demolib.reference import generate

SCRIPT = pathlib.Path(__file__).with_name("scripted.py")


def scale():
    return lib.rounds(1.0, 0.25)


@contextlib.contextmanager
def made():
    """The stack in a directory of its own, gone at the end."""
    cgroup.make()
    with tempfile.TemporaryDirectory(prefix="muster-bench-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        demolib.prepare(folder, lib.BUILD)
        stack = demo.Reference(folder, lib.BUILD, scale())
        try:
            yield stack, folder
        finally:
            stack.destroy()


def enter():
    os.setpgrp()
    cgroup.enter()


def start_muster():
    """Milliseconds until both hosts say that all is ready."""
    with made() as (stack, folder), open(folder / "output", "wb") as output:
        for host in stack.hosts:
            host.enter, host.output = enter, output
        begin = time.monotonic()
        try:
            for host in stack.hosts:
                host.start()
            stack.wait_ready()
            ms = (time.monotonic() - begin) * 1000
            stack.shut_down()
        except demolib.DemoError as error:
            raise lib.Failure(f"muster: {error}") from None
        return ms


def described(stack):
    """What scripted.py needs to know of the services."""
    redis = next(each for each in stack.stack if each.kind == "redis")
    for host in stack.hosts:
        setting = generate.dataclasses.replace(stack.setting, config=str(host.dir))
        for each in stack.stack:
            if each.host == host.name:
                yield {"key": each.key, "host": each.host, "layer": each.layer, "needs": each.need_keys(),
                       "port": each.port, "silent": each.kind == "nginx",
                       "env": {"REDIS_AT": f"127.0.0.1:{redis.port}"} if each.kind == "python" else {},
                       "command": shlex.split(generate.command(each, setting))}


def start_scripted(rule):
    with made() as (stack, folder):
        path = folder / "services.json"
        path.write_text(json.dumps(list(described(stack))), encoding="utf-8")
        result = subprocess.run([sys.executable, SCRIPT, rule, path], capture_output=True, text=True, check=False,
                                preexec_fn=cgroup.enter)
    if result.returncode != 0:
        raise lib.Failure(f"{rule}: {result.stderr.strip()}")
    return float(result.stdout)


def reference():
    """The table, beside the same services started as scripts did."""
    for program in ("redis-server", "nginx"):
        if not demolib.shutil.which(program, path=demolib.SYSTEM_PATH):
            raise lib.Skip(f"{program} is not here")
    services = generate.services(generate.Setting(scale=scale()))
    critical, total = generate.critical_path(services), sum(each.delay for each in services)
    results = lib.take_turns({
        "ref-event": (lib.rounds(3, 1), lambda: start_scripted("event")),
        "muster": (lib.rounds(5, 2), start_muster),
        "ref-level:10": (lib.rounds(3, 1), lambda: start_scripted("level:10")),
        "ref-seq": (1, lambda: start_scripted("seq")),
    })
    rows = {name: {"ms": lib.stat(found)} for name, found in results.items()}
    lines = [["critical path (theory)", critical, "1.000", ""], ["one by one (theory)", total, f"{total / critical:.3f}", ""]]
    lines += [[name, f"{row['ms']['median']:.0f}", f"{row['ms']['median'] / critical:.3f}", lib.spread(row["ms"])]
              for name, row in rows.items()]
    shown = lib.table(f"reference: {len(services)} services on two hosts, those of each host by a scheduler of its own",
                      ["scheduler", "all ready ms", "/ critical path", "min-max"], lines)
    lib.save("reference", {"critical": critical, "rows": rows}, [shown])
