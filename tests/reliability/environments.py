#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""In odd surroundings muster-init does all it should, or ends with the documented code and a line."""
import concurrent.futures
import contextlib
import ctypes
import fcntl
import itertools
import os
import platform
import re
import resource
import signal
import statistics
import struct
import subprocess
import time

from report import QUICK, Section
from lib import BUILD, IS_ROOT, Failure, Init, check, equal, need, proc_status, skip, tool, until

if not IS_ROOT:
    skip("needs root, to make such surroundings")
need("setpriv")
M = tool("misbehave")
JOBS = 2 * len(os.sched_getaffinity(0))

# ---- what is run: one program, or services ----

CONFIG = """
[service:db]
command = {m} notify READY=1 forever
readiness_probe = notify
[service:queue]
command = {m} lines 20000 pid {t}/queue forever
depends_on = db
log = {log}
[service:web]
command = {m} await {t}/queue {more} pid {t}/up forever
depends_on = queue
"""
# what init may warn of and go on
WARNINGS = r"cannot use .*: no status page and no control socket|cannot open .*/control\.sock"
NO_MORE = "(Too many open files|No file descriptors available)"  # as glibc and musl have it


def wrapped(init, m, t):
    """Words to wrap: exit code 5, and a process left behind that ignores TERM."""
    init.args = ["--grace", "10ms", "--", m, "orphan", "[", "ignore", "TERM", "setsid", "pid", f"{t}/orphan", "forever", "]",
                 "await", f"{t}/orphan", "exit", "5"]


def supervised(init, m, t, log="none", more=""):
    init.write("muster.ini", CONFIG.format(m=m, t=t, log=log, more=more))
    init.args = ["-c", f"{t}/muster.ini"]


def finish(init, mode):
    """Sees that all is done, and ended; the lines that were said."""
    if mode == "wrap":
        equal(init.wait(), 5, "exit code")
        equal(init.stderr, "", "stderr")
        return
    init.wait_file("up")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")
    complaints = [line for line in init.stderr.splitlines() if re.search("cannot|error|warning", line)]
    odd = [line for line in complaints if not re.search(WARNINGS, line)]
    equal(odd, [], "complaints")


def prepare(mode, m=M, t=None, log="none", more="", **options):
    """An Init, not yet started."""
    init = Init(**options)
    init.dir.chmod(0o777)
    if mode == "wrap":
        wrapped(init, m, t or str(init.dir))
    else:
        supervised(init, m, t or str(init.dir), log, more)
    return init


def show(mode, **options):
    with prepare(mode, **options) as init:
        finish(init, mode)


# ---- a root directory that lacks things ----

THINGS = ("/proc", "/sys", "/dev", "/run", "/tmp", "/etc/passwd")
ROOT = r"""
d=$1 things=$2 who=$3; shift 3
umask 022
r=$d/root; mkdir $r; mount -t tmpfs none $r; mkdir $r/b $r/t $r/usr
mount --bind /usr $r/usr; mount --bind "$BUILD" $r/b
for l in bin sbin lib lib32 lib64 libx32; do
	if [ -L /$l ]; then cp -P /$l $r/; elif [ -d /$l ]; then mkdir $r/$l; mount --bind /$l $r/$l; fi
done
for thing in $things; do
	mkdir -p $r$thing
	case $thing in
	/proc) mount -t proc none $r/proc ;;
	/sys) mount --bind /sys $r/sys ;;
	/dev) mount --rbind /dev $r/dev ;;
	/tmp) chmod 1777 $r/tmp ;;
	/etc/passwd) rmdir $r$thing; cp /etc/passwd /etc/group $r/etc ;;
	esac
done
mount --bind $d $r/t
case $who in
root) exec chroot $r "$@" ;;
user) exec chroot --userspec=1000:1000 --groups= $r "$@" ;;
nnp) exec setpriv --no-new-privs chroot $r "$@" ;;
read-only) mount -o remount,ro $r; exec chroot $r "$@" ;;
esac
"""
IDENTITIES = {"root": "root", "user": "uid 1000, no capabilities", "nnp": "root, no new privileges"}


def show_root(mode, things, who):
    """One run below a root directory that has these things only."""
    init = prepare(mode, m="/b/tools/misbehave", t="/t", log="file:/t/log", program="/b/muster-init",
                   env={"MUSTER_RUN_DIR": "", "BUILD": str(BUILD)},
                   prefix=["sh", "-ec", ROOT, "sh", "{dir}", " ".join(things), who])
    with init:
        finish(init, mode)


def show_read_only(mode, things, _):
    show_root(mode, things, "read-only")


# ---- the process itself ----

def closed(mode, fds, prefix):
    words = " ".join(f"{fd}>&-" for fd in fds)
    show(mode, prefix=prefix + (["sh", "-c", f'exec {words}; exec "$@"', "sh"] if words else []))


def spoil_signals(block, ignore):
    every = set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}
    for signo in every if ignore else ():
        signal.signal(signo, signal.SIG_IGN)
    if block:
        signal.pthread_sigmask(signal.SIG_BLOCK, every)


def show_signals(mode, block, ignore):
    show(mode, setup=lambda: spoil_signals(block, ignore))
    # and what is started has none of it
    words = {"wrap": ["--", M, "pid", "{dir}/up", "forever"], "supervise": []}[mode]
    config = {"wrap": None, "supervise": f"[service:a]\ncommand = {M} pid {{dir}}/up forever\n"}[mode]
    with Init(*words, config=config, setup=lambda: spoil_signals(block, ignore)) as init:
        pid = init.outside(int(init.wait_file("up")))
        for name in ("SigBlk", "SigIgn", "SigCgt"):
            equal(int(proc_status(pid)[name], 16) & ~signal_bits(signal.SIGTERM), 0, name)


def signal_bits(signo):
    return 1 << (signo - 1)


def show_nofile(mode, soft, hard):
    show(mode, setup=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))


def show_few(mode, limit):
    """So few that supervising may not be possible, which is then said."""
    with prepare(mode, setup=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))) as init:
        until(lambda: init.read("up") or not init.running() or re.search(f"{NO_MORE}; starting again", init.stderr),
              "it starts, says what is missing, or ends")
        if mode == "wrap" or init.read("up"):
            finish(init, mode)
        elif init.running():
            init.signal(signal.SIGTERM)
            equal(init.wait(), 0, "exit code")
        else:
            check(init.wait() in (70, 1) and re.search(NO_MORE, init.stderr), f"{init.wait()}: {init.stderr}")


MEGABYTES = 2


def show_environment(mode):
    """Two megabytes of environment arrive whole."""
    big = {f"BIG_{i}": "x" * 100000 for i in range(MEGABYTES * 10)}
    more = "exec sh -c 'env | wc -c >{t}/size.new; mv {t}/size.new {t}/size; exec {m} pid {t}/up forever'"
    limit = 64 << 20
    options = {"env": big, "setup": lambda: resource.setrlimit(resource.RLIMIT_STACK, (limit, resource.RLIM_INFINITY))}
    show(mode, **options)
    init = Init(**options)
    words = more.format(m=M, t=init.dir)
    if mode == "wrap":
        init.args = ["--", "sh", "-c", words.split("'")[1]]
    else:
        init.write("muster.ini", f"[service:a]\ncommand = {words.removeprefix('exec ')}\n")
        init.args = ["-c", init.path("muster.ini")]
    with init:
        check(int(init.wait_file("size")) > MEGABYTES * 1000000, "size of the environment")


def blocked_pipe():
    """A pipe that takes nothing more; both ends."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 512)
    os.set_blocking(writer, True)
    return reader, writer


def show_output(mode, kind):
    """Descriptors 1 and 2 take nothing: init says a lot, and is not held up."""
    reader = None
    if kind == "full":
        writer = os.open("/dev/full", os.O_WRONLY)
    elif kind == "blocked":
        reader, writer = blocked_pipe()
    else:
        reader, writer = os.pipe()
        os.close(reader)
        reader = None
    try:
        with prepare(mode, log="prefix", stdout=writer, stderr=writer) as init:
            if mode == "wrap":
                equal(init.wait(), 5, "exit code")
            else:
                init.wait_file("up")
                init.signal(signal.SIGTERM)
                equal(init.wait(), 0, "exit code")
    finally:
        for fd in (reader, writer):
            if fd is not None:
                os.close(fd)


# ---- system calls that are not there ----

NEWER = {"close_range": 436, "clone3": 435, "pidfd_open": 434, "pidfd_send_signal": 424, "epoll_pwait2": 441,
         "openat2": 437, "faccessat2": 439, "landlock": (444, 445, 446), "io_uring": (425, 426, 427), "pidfd_getfd": 438}
NEWER_X86 = {"statx": 332, "memfd_create": 319, "seccomp": 317, "getrandom": 318, "preadv2": (327, 328), "execveat": 322,
             "renameat2": 316, "copy_file_range": 326}
if platform.machine() == "x86_64":
    NEWER |= NEWER_X86


def refuse(numbers, error):
    """A seccomp filter under which these calls fail."""
    filters = struct.pack("=HBBI", 0x20, 0, 0, 0)  # the number of the call
    for number in numbers:
        filters += struct.pack("=" + "HBBI" * 2, 0x15, 0, 1, number, 0x06, 0, 0, 0x00050000 | error)
    filters += struct.pack("=HBBI", 0x06, 0, 0, 0x7fff0000)
    libc = ctypes.CDLL(None)
    code = ctypes.create_string_buffer(filters)
    program = struct.pack("HxxxxxxP", len(filters) // 8, ctypes.addressof(code))
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, program, 0, 0) != 0:
        os._exit(99)


def show_refused(mode, numbers, error, pid1):
    show(mode, setup=lambda: refuse(numbers, error), pid1=pid1)


# ---- all of it ----

def every(cases):
    """In the short run some of them, spread evenly."""
    cases = list(cases)
    return cases[:: max(1, len(cases) // 24)] if QUICK else cases


def numbers_of(name):
    numbers = NEWER[name]
    return numbers if isinstance(numbers, tuple) else (numbers,)


MODES = ("wrap", "supervise")
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
NO_DEV = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev && exec "$@"', "sh"]
SUBSETS = [[thing for bit, thing in enumerate(THINGS) if 1 << bit & present] for present in range(64)]
ERRNOS = {"ENOSYS": 38, "EPERM": 1}


def largest_nofile():
    """What can be had here: the kernel's bound is for all of the machine, and not raised by a test."""
    with open("/proc/sys/fs/nr_open", encoding="ascii") as file:
        most = int(file.read())
    raised = subprocess.run(["prlimit", f"--nofile={most}:{most}", "true"], capture_output=True, check=False)
    return most if raised.returncode == 0 else HARD


def groups():
    """(what, function, cases)"""
    yield (f"any of {', '.join(THINGS)} missing (64), as {'; '.join(IDENTITIES.values())}", show_root,
           itertools.product(MODES, SUBSETS, IDENTITIES))
    yield ("the same with a read-only root", show_read_only,
           ((mode, things, "") for mode in MODES for things in SUBSETS))
    yield ("descriptors 0, 1, 2 closed in any combination, with and without /dev", closed,
           ((mode, [fd for fd in range(3) if bits & 1 << fd], prefix) for mode in MODES for bits in range(8)
            for prefix in ([], NO_DEV)))
    yield ("signals blocked, ignored, both", show_signals,
           ((mode, block, ignore) for mode in MODES for block, ignore in ((True, False), (False, True), (True, True))))
    limits = sorted({64, 1024, HARD, largest_nofile()})
    yield (f"limit of descriptors {', '.join(map(str, limits))}", show_nofile,
           ((mode, limit, max(limit, HARD)) for mode in MODES for limit in limits))
    yield ("limit of descriptors 8 to 40", show_few,
           ((mode, limit) for mode in MODES for limit in range(8, 41)))
    yield (f"environment of {MEGABYTES} MB", show_environment, ((mode,) for mode in MODES))
    yield ("stdout and stderr blocked, full, closed by the reader", show_output,
           ((mode, kind) for mode in MODES for kind in ("blocked", "full", "closed")))
    yield (f"ENOSYS or EPERM from one of {', '.join(NEWER)}", show_refused,
           ((mode, numbers_of(name), error, pid1) for mode in MODES for name in NEWER for error in ERRNOS.values()
            for pid1 in (True, False)))
    yield ("the same from all of them", show_refused,
           ((mode, tuple(itertools.chain(*map(numbers_of, NEWER))), error, pid1) for mode in MODES
            for error in ERRNOS.values() for pid1 in (True, False)))


def start_ms(limits, rounds=200):
    """Median time of a whole run that wraps `true`, by limit of descriptors; in turns."""
    found = {limit: [] for limit in limits}
    for _ in range(rounds):
        for limit, times in found.items():
            begin = time.perf_counter()
            subprocess.run(["prlimit", f"--nofile={limit}:{max(limit, HARD)}", str(BUILD / "muster-init"), "--", "true"],
                           check=True)
            times.append((time.perf_counter() - begin) * 1000)
    return {limit: statistics.median(times) for limit, times in found.items()}


def attempt(function, case):
    try:
        function(*case)
    except (Failure, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        return f"{function.__name__}{case}: {error}"
    return None


def main():
    section = Section("Odd surroundings", """
        Wrapping, muster-init is to return its program's code and to end a process that was left behind and ignores
        TERM, without a word; supervising, three services start in order (one with its log in a file) and are shut
        down on TERM. Each run differs from a common container in one way. The only complaints that are allowed are
        those about a runtime directory that cannot be used; with very few descriptors it may also say that and
        wait, or end with code and line.""")
    rows, failures = [], []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for what, function, cases in groups():
            cases = every(cases)
            found = [failure for failure in pool.map(lambda case, f=function: attempt(f, case), cases) if failure]
            rows.append([what, len(cases), len(cases) - len(found)])
            failures += found
    section.table(["surroundings", "runs", "as it should be"], rows)
    if failures:
        section.say("Not as it should be:\n\n" + "\n".join(f"- {failure}" for failure in failures))
    total = sum(row[1] for row in rows)
    if not QUICK:
        times = start_ms(sorted({64, largest_nofile()}))
        few, most = times.values()
        section.goal(f"start with a limit of {max(times)} descriptors, beside {min(times)}", "within 5 ms",
                     f"{most:.1f} ms, {few:.1f} ms", most - few <= 5)
    section.goal("runs that are not as they should be", "0", f"{len(failures)} of {total}", not failures,
                 "tini: code 1 where descriptor 0 is closed (once)")
    section.finish()


main()
