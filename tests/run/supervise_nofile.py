# SPDX-License-Identifier: MIT
"""Services get the limit of descriptors that init was given, while init takes what it needs for itself."""
import resource

from lib import Init, equal, read_proc, tool

M = tool("misbehave")


def config(services):
    return "".join(f"[service:s{i}]\ncommand = {M} identity {{dir}}/s{i} forever\n" for i in range(services))


def limits_of(init):
    line = next(l for l in read_proc(init.pid, "limits").decode().splitlines() if l.startswith("Max open files"))
    return [int(word) for word in line.split()[3:5]]


def given(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


NOFILE = str(resource.RLIMIT_NOFILE)

# too few for what init has to keep open: it takes more for itself, within the hard limit
with Init(config=config(60), setup=given(64, 2000)) as init:
    init.wait_line("all ready after")
    equal(init.json("s59")["limits"][NOFILE], [64, 2000], "limits of a service")
    equal(limits_of(init)[0] > 64, True, "init's own soft limit")
    # a reload that needs more takes more
    init.write("muster.ini", init.fill(config(200)))
    equal(init.ctl("reload").returncode, 0, "exit code of musterctl reload")
    equal(init.json("s199")["limits"][NOFILE], [64, 2000], "limits of a new service")
    equal(limits_of(init)[0] >= 1000, True, f"init's own limits after a reload: {limits_of(init)}")
