# SPDX-License-Identifier: MIT
"""musterctl logs shows what services printed: the last lines, of some or all services, and what comes."""
import subprocess

from lib import CTL, Init, contains, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:a]
command = {M} lines 30 error last await {{dir}}/more print more await {{dir}}/end print end
[service:bee]
command = {M} print hello forever
[service:secret]
command = {M} print unheard forever
log = none
"""

with Init(config=CONFIG) as init:
    until(lambda: "last" in init.ctl("logs", "a").stdout and "hello" in init.ctl("logs", "bee").stdout, "lines")
    equal(init.ctl("logs", "a").stdout.splitlines(), [f"line {i}" for i in range(1, 31)] + ["last"], "all of a")
    equal(init.ctl("logs", "-n", "2", "a").stdout.splitlines(), ["line 30", "last"], "the last two")
    equal(init.ctl("logs", "-n", "0", "a").stdout, "", "none")
    both = init.ctl("logs").stdout.splitlines()
    equal(sorted(both)[-1], "bee    | hello", "a line with its name")
    equal(len(both), 32, "lines of all")
    equal(init.ctl("logs", "a", "bee").stdout.count("\n"), 32, "lines of both")
    equal(init.ctl("logs", "secret").stdout, "", "output of log = none")
    result = init.ctl("logs", "nobody")
    equal(result.returncode, 3, "exit code for an unknown service")
    contains(result.stderr, "nobody", "what is said")
    with subprocess.Popen([CTL, "logs", "-f", "-n", "1", "a"], env=init.env, stdout=subprocess.PIPE, text=True) as follow:
        equal(follow.stdout.readline(), "last\n", "the last line so far")
        init.write("more", "")
        equal(follow.stdout.readline(), "more\n", "the next")
        init.write("end", "")
        equal(follow.stdout.readline(), "end\n", "the last of all")
        init.signal(15)
        equal(follow.wait(20), 0, "exit code when muster-init ends")
    equal(init.wait(), 0, "exit code")
