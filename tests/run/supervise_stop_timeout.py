# SPDX-License-Identifier: MIT
"""However long single services take to stop, the whole shutdown takes no longer than stop_timeout."""
import time

from lib import Init, check, equal, matches, tool

M = tool("misbehave")
# one after another they would take 5 * 8 seconds
CONFIG = "[muster]\nstop_timeout = 400ms\n" + "".join(f"""
[service:s{i}]
command = {M} ignore TERM pid {{dir}}/s{i} forever
depends_on = {f's{i - 1}' if i else ''}
""" for i in range(5))

with Init(config=CONFIG) as init:
    for i in range(5):
        init.wait_file(f"s{i}")
    begin = time.monotonic()
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    took = time.monotonic() - begin
    check(0.4 <= took < 7, f"it took {took} s")
    last = init.stderr.splitlines()[-1]
    matches(last, r"ended: signal TERM; .*; 5 had to be killed: .*\(s0\), .*\(s1\), .*\(s2\), .*\(s3\), .*\(s4\)$", "last line")
