# SPDX-License-Identifier: MIT
"""Lines of output: how many a second pass through, and what processor time each costs."""
import contextlib
import os
import shutil
import signal
import subprocess
import time

import inits
import lib

LINES = lib.rounds(1000000, 100000)
LIMIT = 300  # seconds
PRINTERS = ("cat", "sh", "dash", "bash", "busybox", "sleep", "coreutils")
LAST = b"the last line of all"
TEXT = "line {} of a service that has much to say about what it does, in words"
OBJECT = '{{"level":"info","line":{},"msg":"much to say about what it does","took":0.25}}'


def feed(form):
    """A program that waits for the file `go` and prints; lines of that form."""
    return lambda work: (work / "lines").write_text(
        "\n".join(form.format(i) for i in range(LINES)) + "\n" + LAST.decode() + "\n", encoding="ascii")


def command(work):
    return f"sh -c 'until [ -e {work}/go ]; do sleep 0.05; done; exec cat {work}/lines'"


# Each gives a function that prepares a directory and returns the command line.

def muster(log):
    """log: {work} stands for the run's directory."""
    program = inits.find_muster("muster")

    def prepare(work):
        (work / "muster.ini").write_text(f"[service:web]\ncommand = {command(work)}\nlog = {log.format(work=work)}\n"
                                         "log_max_size = 0\ntype = oneshot\n"
                                         "[service:stay]\ncommand = sleep 600\n", encoding="ascii")
        return [program, "-c", str(work / "muster.ini")]
    return prepare


def supervisord():
    program = inits.find_program("supervisord", "supervisor")

    def prepare(work):
        (work / "supervisord.conf").write_text(
            f"[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={work}/pid\n"
            f"[program:web]\ncommand={command(work)}\nautorestart=false\nstartsecs=0\n"
            f"stdout_logfile={work}/out\nstdout_logfile_maxbytes=0\nstderr_logfile=NONE\n", encoding="ascii")
        return [program, "-c", str(work / "supervisord.conf")]
    return prepare


def s6_log():
    program = inits.find_program("s6-log", "s6")
    return lambda work: ["sh", "-c", f"{{ {command(work)}; sleep 600; }} | {program} n2 s268435455 {work}/s6"]


def is_complete(path):
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 300))
        return LAST in file.read()
    return False


def once(prepare, form, result):
    work = lib.temporary_directory()
    feed(form)(work)
    argv = prepare(work)
    (work / "run").mkdir()
    environment = dict(os.environ, MUSTER_RUN_DIR=str(work / "run"))
    with open(work / "stdout", "wb") as output:
        process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        time.sleep(1)  # all of them have nothing left to do
        own, _ = lib.split_tree(process.pid, PRINTERS)
        before = lib.processor_ns(own)
        begin = time.monotonic()
        (work / "go").touch()
        while not is_complete(work / result):
            if time.monotonic() - begin > LIMIT:
                raise lib.Failure(f"{argv[0]}: not all lines within {LIMIT} s")
            time.sleep(0.002)
        seconds = time.monotonic() - begin
        return {"seconds": seconds, "cpu": (lib.processor_ns(own) - before) / 1e9,
                "bytes": os.path.getsize(work / "lines")}
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(work, ignore_errors=True)


def lines():
    """A million lines of one service, from the first to the last on the other side."""
    contestants = inits.keep_available({
        "muster prefix": lambda: (muster("prefix"), TEXT, "stdout"),
        "muster json, of text": lambda: (muster("json"), TEXT, "stdout"),
        "muster json, of objects": lambda: (muster("json"), OBJECT, "stdout"),
        "muster file": lambda: (muster("file:{work}/out"), TEXT, "out"),
        "s6-log": lambda: (s6_log(), TEXT, "s6/current"),
        "supervisord": lambda: (supervisord(), TEXT, "out")})
    results = lib.take_turns({name: (lib.rounds(3, 1), lambda how=how: once(*how)) for name, how in contestants.items()})
    rows = {name: {"seconds": lib.stat([f["seconds"] for f in found]),
                   "lines_per_s": LINES / lib.stat([f["seconds"] for f in found])["median"],
                   "mb_per_s": found[0]["bytes"] / 1e6 / lib.stat([f["seconds"] for f in found])["median"],
                   "cpu_us": lib.stat([f["cpu"] for f in found])["median"] / LINES * 1e6}
            for name, found in results.items()}
    lib.save("lines", {"rows": rows, "lines": LINES},
             [lib.table(f"{LINES} lines of one service",
                        ["how", "seconds", "lines/s", "MB/s", "processor, us a line", "n"],
                        [[name, f"{r['seconds']['median']:.2f}", f"{r['lines_per_s']:.0f}", f"{r['mb_per_s']:.0f}",
                          f"{r['cpu_us']:.2f}", r["seconds"]["n"]] for name, r in rows.items()])])
