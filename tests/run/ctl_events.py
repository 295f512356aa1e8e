# SPDX-License-Identifier: MIT
"""events shows every change of state as it happens, as text and as JSON, until init ends."""
import json
import select
import subprocess

from lib import CTL, Init, contains, equal, matches, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} forever
start = manual
[service:other]
command = {M} forever
"""


def follow(init, *words):
    process = subprocess.Popen([CTL, "events", *words], env=init.env, text=True, stdout=subprocess.PIPE)
    return process


with Init(config=CONFIG) as init:
    equal(init.ctl("wait", "--timeout", "20s").returncode, 0, "exit code of wait")
    text, data, web = follow(init), follow(init, "--json"), follow(init, "--json", "web")
    equal(init.ctl("events", "nobody").returncode, 3, "exit code for an unknown name")
    # each has subscribed once it has told of something
    seen = {}
    for process, part in ((text, "web"), (data, '"web"'), (web, '"web"')):
        def told(process=process):
            init.ctl("start", "web")
            init.ctl("stop", "web")
            return select.select([process.stdout], [], [], 0)[0]

        while process not in seen:
            until(told, "it tells of something")
            line = process.stdout.readline()
            if part in line:
                seen[process] = line
    matches(seen[text], r"^\d\d:\d\d:\d\d\.\d\d\d web \w+ -> \w+", "a line of text")
    event = json.loads(seen[web])
    equal(event["service"], "web", "service")
    equal(sorted(event), ["from", "last_exit", "pid", "reason", "service", "time", "to"], "keys")
    matches(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "time")

    init.ctl("shutdown")
    equal(init.wait(), 0, "exit code")
    rest = {process: process.communicate(timeout=20)[0] for process in (text, data, web)}
    for process in rest:
        equal(process.returncode, 0, "exit code when init ends")
    contains(rest[text], "(all) ready -> stopping", "the phase as text")
    events = [json.loads(line) for line in rest[data].splitlines()]
    equal([e["to"] for e in events if e["service"] is None], ["stopping"], "the phase as JSON")
    equal([e["to"] for e in events if e["service"] == "other"], ["stopping", "inactive"], "the other service")
    equal({json.loads(line)["service"] for line in rest[web].splitlines()} - {"web"}, set(), "only web is told of")
