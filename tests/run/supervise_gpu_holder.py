# SPDX-License-Identifier: MIT
"""A process that holds a GPU is ended at the shutdown, double fork and setsid notwithstanding; one that has to be killed is
named as that in the last line."""
import subprocess

from lib import IS_ROOT, Init, equal, skip, tool, until

M = tool("misbehave")
# a /dev with a file in place of the GPU's device; only for what is started here
DEV = """mkdir -p {dir}/dev && mount --rbind /dev {dir}/dev && mount -t tmpfs tmpfs /dev || exit 77
for name in null zero full random urandom tty; do
	: >/dev/$name && mount --bind {dir}/dev/$name /dev/$name || exit 77
done
: >/dev/nvidia0 && exec "$0" "$@" """
CONFIG = f"""
[service:model]
command = {M} orphan [ setsid ACTIONS ] await {{dir}}/up on TERM [ exit 0 ] forever
stop_grace_period = 3s
[service:plain]
command = {M} ignore TERM pid {{dir}}/plain forever
stop_grace_period = 300ms
"""
HOLDER = "hold /dev/nvidia0 pid {dir}/holder append {dir}/up x forever"


def holders():
    """Who has a file of this name open, as the machine sees it."""
    return subprocess.run(["sh", "-c", "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c '/dev/nvidia0$'"],
                          capture_output=True, text=True, check=False).stdout.strip()


if not IS_ROOT:
    skip("needs root: for a file in place of /dev/nvidia0")
if subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False).returncode:
    skip("mounts are not permitted here")
if holders() != "0":
    skip("a GPU is in use here")

for pid1 in (True, False):
    prefix = [*([] if pid1 else ["unshare", "--mount"]), "sh", "-c", DEV]
    for actions, ends in (("ignore TERM ", "killed"), ("", "asked")):
        with Init(config=CONFIG.replace("ACTIONS", actions + HOLDER), prefix=prefix, pid1=pid1) as init:
            init.wait_file("up")
            until(lambda: holders() != "0", "the GPU is held")
            init.wait_file("plain")
            holder = init.read("holder").strip()
            init.signal(15)
            equal(init.wait(), 0, "exit code")
            named = rf"misbehave {holder} \(model\) with a GPU" if ends == "killed" else ""
            plain = r"misbehave \d+ \(plain\)"
            init.wait_line(rf"; \d had to be killed: (({named}|{plain})(, |$))+$" if named else
                           rf"; 1 had to be killed: {plain}$")
            equal(bool(named), "with a GPU" in init.stderr, f"whether it is named: {init.stderr}")
            equal(holders(), "0", "who holds the GPU")
