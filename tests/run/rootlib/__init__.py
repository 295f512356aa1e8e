# SPDX-License-Identifier: MIT
"""Kinds of root: what a process is made before it becomes the program under test (subprocess's
preexec_fn, Init's `setup`). Written with raw calls, apart from the ones that are tested."""

import contextlib
import ctypes
import os
import pathlib

from lib import skip, until

LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_READ, PR_CAPBSET_DROP = 23, 24
CLONE_NEWUSER = 0x10000000

CAPABILITIES = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
                "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
                "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
                "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
                "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()


def capability_set(*names):
    return sum(1 << CAPABILITIES.index(name) for name in names)


# what Docker leaves a container by default
DOCKER = capability_set("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
                        "NET_BIND_SERVICE", "NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP")


def limit_root(keep):
    """Root with these capabilities at most: the rest is gone with the next exec."""
    for number in range(64):
        if LIBC.prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1 and not keep >> number & 1:
            if LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")


def become_namespace_root():
    """Root of a user namespace with 65536 users of its own, which outside of it are nobody's."""
    ready, mapped = os.pipe(), os.pipe()
    pid = os.getpid()
    helper = os.fork()
    if helper == 0:
        os.read(ready[0], 1)
        for kind in ("uid", "gid"):
            with open(f"/proc/{pid}/{kind}_map", "w", encoding="ascii") as file:
                file.write("0 1000000 65536")
        os.write(mapped[1], b"x")
        os._exit(0)
    if LIBC.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(ready[1], b"x")
    os.read(mapped[0], 1)
    os.waitpid(helper, 0)
    for end in (*ready, *mapped):
        os.close(end)
    os.setgroups([0])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def make_memory_cgroup(limit):
    lines = [line.split(":", 2) for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
    for base, controller, file in (("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes"),
                                   ("/sys/fs/cgroup", "", "memory.max")):
        place = next((path for _, names, path in lines if names == controller), None)
        if place is None:
            continue
        group = pathlib.Path(base + place) / f"muster-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
            if (group / file).exists():
                (group / file).write_text(str(limit))
                return group
            group.rmdir()
    return skip("no cgroup with a limit of memory can be made here")


def remove(group):
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()


@contextlib.contextmanager
def memory_cgroup(limit):
    """A new cgroup with so many bytes of memory, v1 or v2, gone behind the `with` block."""
    group = make_memory_cgroup(limit)
    try:
        yield group
    finally:
        until(lambda: remove(group), "the cgroup is empty")
