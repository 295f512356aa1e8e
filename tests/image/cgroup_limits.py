# SPDX-License-Identifier: MIT
"""memory_max, cpu_max, pids_max and the OOM killer on a machine with cgroup v2 alone: a kernel of its own, in qemu.

$MUSTER_TEST_KERNEL or the newest /boot/vmlinuz-* is booted, with muster-init as process 1."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "run"))  # no container engine is needed

from lib import BUILD, contains, fail, matches, need, skip

CONFIG = """
[muster]
stop_timeout = 60s
log = prefix
[service:eater]
command = tail /dev/zero
memory_max = 24M
restart = no
essential = no
[service:capped]
command = sh -c 'echo in $(cat /proc/self/cgroup); sleep 1000 & setsid env -i sleep 1000; wait'
cpu_max = 0.25
memory_max = 64M
[service:forker]
command = sh -c 'for i in $(seq 1 30); do sleep 1000 & done; sleep 1000'
pids_max = 10
restart = no
essential = no
[service:free]
command = sh -c 'echo in $(cat /proc/self/cgroup); sleep 1000'
[service:look]
type = oneshot
depends_on = capped, free
essential = no
restart = no
command = sh /look
"""
LOOK = """
musterctl wait --timeout 60s eater:failed forker:failed
cd /sys/fs/cgroup/box
for file in service.capped/cpu.max service.capped/memory.max cgroup.subtree_control cgroup.procs; do
	echo file $file: $(cat $file)
done
musterctl status | while read -r line; do echo "status $line"; done
musterctl stop capped
for try in $(seq 60); do [ -d service.capped ] && sleep 1; done
echo after: $(ls -d init service.*) $(cat /sys/fs/cgroup/cgroup.procs | wc -l)
"""
FIRST = """#!/bin/sh
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev; mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/box
echo 0 > /sys/fs/cgroup/box/cgroup.procs
echo "+memory +cpu +pids" > /sys/fs/cgroup/cgroup.subtree_control
(while ! [ -e /run/over ]; do sleep 1; done; sleep 1; poweroff -f) &
exec muster-init -c /muster.ini
"""
APPLETS = "sh cat echo env ls mount mkdir poweroff read seq setsid sleep tail touch wc"


def kernel():
    found = sorted(pathlib.Path("/boot").glob("vmlinuz-*"), key=os.path.getmtime)
    path = os.environ.get("MUSTER_TEST_KERNEL") or (str(found[-1]) if found else None)
    return path or skip("no kernel: MUSTER_TEST_KERNEL is not set and there is no /boot/vmlinuz-*")


def copy_program(root, program):
    """The program and the libraries it is linked with."""
    shutil.copy(program, root / "bin")
    said = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    for word in said.split():
        if word.startswith("/"):
            target = root / word[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, target)


def make_root(root):
    for name in ("bin", "proc", "sys", "dev", "run", "tmp"):
        (root / name).mkdir()
    copy_program(root, need("busybox"))
    for name in ("muster-init", "musterctl"):
        copy_program(root, BUILD / name)
    for name in APPLETS.split():
        (root / "bin" / name).symlink_to("busybox")
    (root / "muster.ini").write_text(CONFIG)
    (root / "look").write_text(LOOK + "touch /run/over\n")
    (root / "init").write_text(FIRST)
    (root / "init").chmod(0o755)


def boot(folder):
    """What the machine writes on its console."""
    make_root(folder / "root")
    archive = subprocess.run("find . | cpio -o -H newc | gzip", shell=True, cwd=folder / "root",
                             capture_output=True).stdout
    (folder / "initrd").write_bytes(archive)
    command = ["qemu-system-x86_64", "-accel", "tcg", "-smp", "2", "-m", "256", "-nographic", "-no-reboot", "-nic",
               "none", "-kernel", kernel(), "-initrd", str(folder / "initrd"), "-append", "console=ttyS0 quiet panic=-1"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=600)
    except subprocess.TimeoutExpired as error:
        fail(f"the machine does not end: {error.stdout}")
    return done.stdout.replace("\r", "")


for program in ("qemu-system-x86_64", "cpio", "busybox"):
    need(program)
kernel()
with tempfile.TemporaryDirectory(prefix="muster-test-") as folder:
    (pathlib.Path(folder) / "root").mkdir()
    console = boot(pathlib.Path(folder))
contains(console, "eater: failed: killed by the OOM killer (memory_max 24M)", "console")
contains(console, "can't fork", "console")
matches(console, r"capped +\| in 0::/box/service.capped", "console")
matches(console, r"free +\| in 0::/box/init", "console")
contains(console, "file service.capped/cpu.max: 25000 100000", "console")
contains(console, "file service.capped/memory.max: 67108864", "console")
matches(console, r"file cgroup.procs:\n", "console")
matches(console, r"status eater +failed .* killed by the OOM killer \(memory_max 24M\)", "console")
matches(console, r"after: init [0-9]+\n", "console")
