# SPDX-License-Identifier: MIT
"""musterctl logs: what a quiet service said stays beside a chatty one; long lines whole; a slow reader is told its losses."""
import re
import subprocess
import time

from lib import CTL, Init, check, contains, equal, matches, tool, until

M = tool("misbehave")
CONFIG = f"""
[muster]
log = prefix
[service:quiet]
command = {M} print once error "and an error" pid {{dir}}/quiet forever
[service:chatty]
command = {M} await {{dir}}/go lines 200000 error heard pid {{dir}}/done await {{dir}}/more lines 200000 pid {{dir}}/again forever
depends_on = quiet:started
[service:long]
command = sh -c 'head -c 15000 /dev/zero | tr "\\\\0" y; echo end'
type = oneshot
[service:ends]
command = {M} print "was here" await {{dir}}/end remove {{dir}}/end exit 3
restart_backoff = 1ms..1ms
[service:json]
command = {M} print plain forever
log = json
"""

with Init(config=CONFIG) as init:
    init.wait_file("quiet")
    init.write("go", "")
    init.wait_file("done")
    # the chatty one has pushed out its own lines and nobody else's; its stderr is apart as well
    until(lambda: {"line 200000", "heard"} <= set(init.ctl("logs", "chatty").stdout.splitlines()), "all of its lines")
    equal(init.ctl("logs", "quiet").stdout.splitlines(), ["once", "and an error"], "lines of the quiet one")
    kept = init.ctl("logs", "chatty").stdout.splitlines()
    contains("\n".join(kept), "heard", "its stderr")
    numbers = [int(line.split()[1]) for line in kept if line != "heard"]
    check(10000 < len(numbers) < 200000, f"{len(numbers)} lines kept")
    equal(numbers, list(range(200001 - len(numbers), 200001)), "the newest lines without a gap")
    init.wait_state("long", "completed")
    equal(init.ctl("logs", "long").stdout, "y" * 15000 + "end\n", "a long line")
    equal(init.ctl("logs", "--since", "1h", "quiet").stdout.count("\n"), 2, "lines of the last hour")
    time.sleep(0.05)
    equal(init.ctl("logs", "--since", "10ms", "quiet").stdout, "", "lines of the last 10 ms")
    matches(init.ctl("logs", "quiet", "json").stdout, r"(?m)^quiet \| once$", "names of those that are asked for are aligned")

    # following goes on over the end of the service and its next start
    with subprocess.Popen([CTL, "logs", "-f", "ends"], env=init.env, stdout=subprocess.PIPE, text=True) as follow:
        equal(follow.stdout.readline(), "was here\n", "its line")
        init.write("end", "")
        equal(follow.stdout.readline(), "was here\n", "the line of the next start")
        follow.terminate()

    # one that does not read for a while: each line is shown or counted as gone, and nobody waits for it
    with subprocess.Popen([CTL, "logs", "-f", "-n", "1", "chatty"], env=init.env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as follow:
        contains(("heard\n", "line 200000\n"), follow.stdout.readline(), "the last line so far: it follows")
        init.write("more", "")
        init.wait_file("again")
        until(lambda: init.ctl("logs", "-n", "1", "chatty").stdout == "line 200000\n", "init has read all")
        lines = []
        while not lines or lines[-1] != 200000:
            lines.append(int(follow.stdout.readline().split()[1]))
        follow.terminate()
        lost = sum(map(int, re.findall(r"(\d+) lines were gone", follow.stderr.read())))
    check(lost > 0, "nothing was gone")
    equal(len(lines) + lost, 200000, "lines seen and gone")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
