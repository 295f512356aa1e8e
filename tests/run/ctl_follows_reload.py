# SPDX-License-Identifier: MIT
"""What follows the status page goes on across a reload, which shows its difference or its errors."""
import json
import subprocess

from lib import CTL, Init, contains, equal, open_files, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:keep]
command = {M} pid {{dir}}/keep forever
[service:old]
command = {M} forever
[service:changed]
command = {M} pid {{dir}}/changed forever
"""
NEXT = f"""
[service:new]
command = {M} await {{dir}}/new forever
[service:changed]
command = {M} pid {{dir}}/changed print x forever
[service:keep]
command = {M} pid {{dir}}/keep forever
"""

with Init(config=CONFIG) as init:
    next_config = NEXT.replace("{dir}", str(init.dir))
    equal(init.ctl("wait", "--timeout", "20s").returncode, 0, "exit code of wait")
    for name in ("keep", "changed"):
        init.wait_file(name)
    watch = subprocess.Popen([CTL, "status", "--watch", "--json"], env=init.env, text=True, stdout=subprocess.PIPE)
    first = json.loads(watch.stdout.readline())
    equal([service["name"] for service in first["services"]], ["keep", "old", "changed"], "services")
    waits = [subprocess.Popen([CTL, "wait", name], env=init.env, stderr=subprocess.PIPE, text=True)
             for name in ("keep:failed", "old:failed")]
    for process in waits:
        until(lambda process=process: any("socket:" in file for file in open_files(process.pid).values()), "it waits")

    init.write("muster.ini", next_config.replace("[service:new]", "[service:new]\ncolour = red"))
    result = init.ctl("reload")
    equal(result.returncode, 1, "exit code of a reload with errors")
    contains(result.stderr, "muster.ini:3: [service:new] colour", "what is said")
    equal(sorted(init.services()), ["changed", "keep", "old"], "the old configuration goes on")

    init.write("muster.ini", next_config)
    result = init.ctl("reload")
    equal(result.returncode, 0, "exit code of a reload")
    for name in ("new", "old", "changed"):
        contains(result.stdout, name, "the difference")
    equal(init.ctl("wait", "--timeout", "20s").returncode, 0, "exit code of wait")
    until(lambda: len(init.read("changed").split()) == 2, "the one that changed is started again")
    equal(len(init.read("keep").split()), 1, "starts of the one that is the same")

    while True:
        names = [service["name"] for service in json.loads(watch.stdout.readline())["services"]]
        if names == ["new", "changed", "keep"]:
            break
    equal(waits[0].poll(), None, "who waits for a service that stayed")
    contains(waits[1].communicate(timeout=20)[1], "a reload removed it", "who waits for one that went")
    equal(waits[1].returncode, 1, "exit code for it")

    equal(init.ctl("reload").returncode, 0, "exit code of a reload without a difference")
    equal(init.ctl("shutdown").returncode, 0, "exit code of shutdown")
    equal(init.wait(), 0, "exit code")
    equal(watch.wait(20), 0, "exit code of status --watch")
    equal(waits[0].wait(20), 1, "exit code of wait when init stops")
