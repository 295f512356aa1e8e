# SPDX-License-Identifier: MIT
"""A cpu cgroup for what is measured, as every container has one.

Outside of one the kernel's autogroups give each session its own share of the processors: on a busy
machine an init then waits for each service that it puts into a session of its own, which is neither
what happens in a container nor the init's doing.
"""
import atexit
import functools
import os
import pathlib

BASES = ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup")


def remove(path):
    try:
        path.rmdir()
    except OSError as error:
        print(f"bench: cannot remove {path}: {error.strerror}")


@functools.lru_cache(maxsize=None)
def make():
    """A new cgroup with a share of the processors, removed at exit; None where that is not
    allowed."""
    for base in map(pathlib.Path, BASES):
        path = base / f"muster-bench-{os.getpid()}"
        try:
            path.mkdir()
        except OSError:
            continue
        if (path / "cpu.shares").exists() or (path / "cpu.weight").exists():
            atexit.register(remove, path)
            return path
        remove(path)
    return None


def enter():
    """For a child: moves the calling process."""
    path = make()
    if path:
        with open(path / "cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")


def describe():
    if make():
        return "supervisors in a cpu cgroup of their own"
    try:
        with open("/proc/sys/kernel/sched_autogroup_enabled", encoding="ascii") as file:
            return "no cpu cgroup" + (", autogroups on" if file.read().strip() == "1" else "")
    except OSError:
        return "no cpu cgroup"
