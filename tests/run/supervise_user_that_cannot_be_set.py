# SPDX-License-Identifier: MIT
"""A service whose user cannot be set is not started at all, least of all as root: exit code 77."""
from lib import Init, contains, equal, need, need_root, tool

need_root()
need("setpriv")
M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} pid {{dir}}/ran forever
user = 4321
group = 4321
pre_start = {M} pid {{dir}}/hook-ran
start = manual
[service:other]
command = {M} forever
"""

# root, but without the right to become anybody else
LIMITED = ["setpriv", "--bounding-set=-setuid,-setgid", "--inh-caps=-setuid,-setgid"]

with Init(config=CONFIG, prefix=LIMITED) as init:
    init.wait_state("other", "running")
    equal(init.ctl("start", "web").returncode, 1, "exit code of musterctl start")
    equal(init.wait(), 77, "exit code")
    equal(init.read("ran") + init.read("hook-ran"), "", "processes that ran")
    init.wait_line("error: web: failed: cannot start misbehave: .*: Operation not permitted")

with Init(config=CONFIG.replace("start = manual\n", "").replace(f"pre_start = {M} pid {{dir}}/hook-ran\n", ""),
          prefix=LIMITED) as init:
    equal(init.wait(), 77, "exit code")
    equal(init.read("ran"), "", "processes that ran")
    contains(init.stderr, "web: failed: cannot start misbehave: ", "what is said")
