#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A fault in muster-init itself ends everything with one line and exit code 70.

The faults are real: the running process is stopped from outside (ptrace), a few instructions are put
in its way, and it goes on alone.
"""
import ctypes
import os
import platform
import re
import signal
import struct
import subprocess

from report import Section
from lib import Init, check, equal, proc_state, skip, tool, until

if platform.machine() != "x86_64":
    skip("has instructions for x86-64 only")

LIBC = ctypes.CDLL(None, use_errno=True)
SEIZE, INTERRUPT, GETREGS, SETREGS, DETACH = 0x4206, 0x4207, 12, 13, 17
WALL = 0x40000000
REGISTERS = 27
ORIG_RAX, RIP = 15, 16
TRAPPED = 121  # getpgid, which nothing here calls

# what happens: the signal, and the instructions that make it happen
FAULTS = {
    "read at a bad address": ("SEGV", "48 31 c0 48 8b 00"),
    "jump to a bad address": ("SEGV", "31 c0 ff e0"),
    "call without end: the stack overflows": ("SEGV", "e8 fb ff ff ff"),
    # memfd_create(""), mmap of it, and a look behind its end
    "mapped file that ends before": ("BUS", "6a 00 48 89 e7 31 f6 b8 3f 01 00 00 0f 05 41 89 c0 31 ff be 00 10 00 00 "
                                            "ba 01 00 00 00 41 ba 01 00 00 00 45 31 c9 b8 09 00 00 00 0f 05 48 8b 00"),
    "illegal instruction": ("ILL", "0f 0b"),
    "division by zero": ("FPE", "31 c9 31 d2 f7 f1"),
    "breakpoint": ("TRAP", "cc"),
    "abort()": ("ABRT", "b8 27 00 00 00 0f 05 89 c7 89 c6 ba 06 00 00 00 b8 ea 00 00 00 0f 05"),
    "call that a filter traps": ("SYS", f"b8 {TRAPPED:02x} 00 00 00 31 ff 0f 05"),
}
SENT = ("SEGV", "BUS", "ILL", "FPE", "ABRT", "TRAP", "SYS")

STUBBORN = "ignore TERM ignore HUP setsid"
SUPERVISED = f"""
[service:a]
command = {tool("misbehave")} orphan [ {STUBBORN} pid {{dir}}/orphan forever ] await {{dir}}/orphan pid {{dir}}/up forever
"""
WRAPPED = ("--", tool("misbehave"), "orphan", "[", *STUBBORN.split(), "pid", "{dir}/orphan", "forever", "]",
           "await", "{dir}/orphan", "pid", "{dir}/up", "forever")


def trap_a_call():
    """A seccomp filter: SIGSYS for one call."""
    filters = struct.pack("=" + "HBBI" * 4,
                          0x20, 0, 0, 0,  # the number of the call
                          0x15, 0, 1, TRAPPED,
                          0x06, 0, 0, 0x00030000,  # trap
                          0x06, 0, 0, 0x7fff0000)  # allow
    code = ctypes.create_string_buffer(filters)
    program = struct.pack("HxxxxxxP", 4, ctypes.addressof(code))
    LIBC.prctl(38, 1, 0, 0, 0)
    if LIBC.prctl(22, 2, program, 0, 0) != 0:
        os._exit(99)


def ptrace(request, pid, data=None):
    LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    LIBC.ptrace.restype = ctypes.c_long
    if LIBC.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def go_on_with(pid, code):
    """Lets a process that waits in a system call leave it and run these instructions."""
    registers = (ctypes.c_uint64 * REGISTERS)()
    ptrace(SEIZE, pid)
    ptrace(INTERRUPT, pid)
    os.waitpid(pid, WALL)
    ptrace(GETREGS, pid, registers)
    registers[ORIG_RAX] = 2**64 - 1  # the call is not begun again
    registers[RIP] &= ~0xfff
    with open(f"/proc/{pid}/mem", "wb", buffering=0) as memory:
        memory.seek(registers[RIP])
        memory.write(code)
    ptrace(SETREGS, pid, registers)
    ptrace(DETACH, pid)


def start(mode, pid1):
    trap = {"setup": trap_a_call}
    return Init(config=SUPERVISED, pid1=pid1, **trap) if mode == "supervise" else Init(*WRAPPED, pid1=pid1, **trap)


def show(mode, pid1, name, code):
    """One run; fails where a promise is not kept."""
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        with start(mode, pid1) as init:
            init.wait_file("up")
            until(lambda: proc_state(init.pid) == "S", "init waits")
            go_on_with(init.pid, bytes.fromhex(code))
            equal(init.wait(), 70, "exit code")
            lines = [line for line in init.stderr.splitlines() if "fault" in line]
            equal(len(lines), 1, f"lines about it in {init.stderr!r}")
            check(re.fullmatch(rf"muster-init: fault in muster-init itself: {name}( at address 0x[0-9a-f]+)?, "
                               r"program counter 0x[0-9a-f]+, program loaded at 0x[0-9a-f]+; ending everything",
                               lines[0]), lines[0])
        check(bystander.poll() is None, "a process that is none of init's was ended")
    finally:
        bystander.kill()
        bystander.wait()


def attempt(mode, pid1, name, code):
    try:
        show(mode, pid1, name, code)
    except Exception as error:  # of whatever kind: the table says so
        return str(error)
    return "70"


def show_sent():
    """Sent by somebody the same signals are no fault: wrap mode passes them on even when they come while init is
    not waiting for them, supervise mode drops them."""
    with Init("--", tool("misbehave"), "record", "{dir}/record", SENT[-1]) as init:
        init.wait_file("record")
        for name in SENT:
            init.signal(signal.SIGSTOP)  # breaks off init's wait, so that the handler gets what comes now
            until(lambda: proc_state(init.pid) == "T", "init is stopped")
            number = int(signal.Signals[f"SIG{name}"])
            init.signal(number)
            init.signal(signal.SIGCONT)
            until(lambda: f"{number} 0" in init.read("record").splitlines(), f"{name} arrives")
        equal(init.wait(), 0, "exit code")
    with start("supervise", True) as init:
        init.wait_file("up")
        for name in SENT:
            init.signal(signal.Signals[f"SIG{name}"])
        equal(init.services()["a"]["state"], "running", "state after faults that were sent")


ROWS = []
MODES = [(mode, pid1) for mode in ("wrap", "supervise") for pid1 in (True, False)]
for what, (name, code) in FAULTS.items():
    ROWS.append([what, name, *(attempt(*mode, name, code) for mode in MODES)])
kept = sum(row[2:].count("70") for row in ROWS)

section = Section("A fault in muster-init itself", """
    The running init is stopped from outside, given a few instructions that fault, and let go. It is to say one
    line, end everything that it has started and adopted (here a process in a session of its own that ignores
    TERM and HUP), nothing else, and exit with code 70: a container that looks alive and is not would be worse.""")
section.table(["fault", "signal", *(f"{mode}, {'PID 1' if pid1 else 'subreaper'}" for mode, pid1 in MODES)], ROWS)
section.goal("faults that end everything with a line and code 70", f"{len(MODES) * len(FAULTS)}", kept,
             kept == len(MODES) * len(FAULTS), "systemd: freezes, as if it lived; s6: runs a program instead (published)")
show_sent()
section.finish()
