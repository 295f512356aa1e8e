# SPDX-License-Identifier: MIT
"""A service whose user cannot be set is not started at all, least of all as root: exit code 77."""
import subprocess

from lib import Init, contains, equal, free_port, need, need_root, tool

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

# nor can it get what init itself has not: better said before anything starts
with Init(config=f"[service:web]\ncommand = {M} pid {{dir}}/ran forever\ncap_add = SYS_TIME\n",
          prefix=["setpriv", "--bounding-set=-sys_time"]) as init:
    equal(init.wait(), 78, "exit code with a capability that init has not")
    contains(init.stderr, "[service:web] cap_add: init itself does not have CAP_SYS_TIME", "what is said of it")
    equal(init.read("ran"), "", "processes that ran")

# in a user namespace there may be no such user although /etc/passwd names one: the sidecar does not run as another instead
MAPPED = ["unshare", "--user", "--map-root-user"]
if subprocess.run([*MAPPED, "true"], capture_output=True, check=False).returncode == 0:
    with Init(config=f"[sidecar]\nlisten = 127.0.0.1:{free_port()}\nuser = nobody\n[service:web]\ncommand = {M} pid {{dir}}/ran forever\n",
              prefix=MAPPED) as init:
        equal(init.wait(), 78, "exit code with a sidecar whose user is not there")
        contains(init.stderr, '[sidecar] user: "nobody" does not exist in this user namespace', "what is said of it")
        equal(init.read("ran"), "", "processes that ran")
