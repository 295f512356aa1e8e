# SPDX-License-Identifier: MIT
"""As another user, on a read-only root, without capabilities and new privileges it wraps and supervises."""
import json

from imagelib import BASE, INIT, TOOL, engines

from lib import contains, equal, proc_status, until

USER = ["--user", "1000:1000"]
READ_ONLY = ["--read-only"]
NO_CAPS = ["--cap-drop", "ALL"]
NO_NEW = ["--security-opt", "no-new-privileges"]
LIMITS = ["--pids-limit", "64", "--memory", "64m"]
SHAPES = [USER, READ_ONLY, NO_CAPS, NO_NEW, USER + READ_ONLY + NO_CAPS + NO_NEW + LIMITS]
RUN_DIR = ["--tmpfs", "/run/muster:rw,noexec,nosuid,size=4m"]
CONFIG = f"""
[service:db]
command = {TOOL} notify READY=1 forever
readiness_probe = notify
[service:web]
command = {TOOL} forever
depends_on = db
"""


def check_process(pid, options, what):
    """That the engine's restrictions hold for a process, seen from outside."""
    status = proc_status(pid)
    if "--user" in options:
        equal((status["Uid"].split(), status["Gid"].split()), (["1000"] * 4, ["1000"] * 4), f"ids of {what}")
        equal(int(status["CapEff"], 16), 0, f"capabilities of {what}")
    if "--cap-drop" in options:
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            equal(int(status[kind], 16), 0, f"{kind} of {what}")
    if "no-new-privileges" in options:
        equal(status["NoNewPrivs"], "1", f"no_new_privs of {what}")
    equal(status["Seccomp"], "2", f"seccomp of {what}")


def wraps(engine, options):
    with engine.container(*options, BASE, INIT, "--", TOOL, "identity", "-", "on", "TERM", "[", "exit", 0, "]",
                          "forever") as container:
        container.wait_line("}}$")
        status = json.loads(container.output)["status"]
        outside = proc_status(container.process(TOOL))
        for key in ("Uid", "Gid", "CapEff", "CapBnd", "NoNewPrivs"):
            equal(status[key].split(), outside[key].split(), f"{key} as seen from both sides")
            equal(outside[key], proc_status(container.pid)[key], f"{key} of the program and of PID 1")
        check_process(container.pid, options, "PID 1")
        equal(container.stop(), 0, "exit code")


def supervises(engine, options):
    with engine.container(*options, *RUN_DIR, BASE, INIT, config=CONFIG) as container:
        container.wait_line("all ready after")
        equal(container.ctl("health").returncode, 0, "health")
        equal(container.ctl("restart", "web").returncode, 0, "an order by the same user")
        until(lambda: container.ctl("wait", "web").returncode == 0, "web is back")
        check_process(container.pid, options, "PID 1")
        db = container.process(f"{TOOL} notify")
        check_process(db, options, "a service")
        equal(proc_status(db)["NoNewPrivs"], "1", "no_new_privs of a service")
        equal(container.stop(), 0, "exit code")
        contains(container.output, "none had to be killed", "last word")


def supervises_without_run_dir(engine):
    with engine.container(*USER, *READ_ONLY, *NO_CAPS, BASE, INIT, config=CONFIG) as container:
        container.wait_line("all ready after")
        equal(container.output.count("no status page and no control socket"), 1, "how often it is said")
        equal(container.ctl("status").returncode, 6, "musterctl without a status page")
        equal(container.stop(), 0, "exit code")


for engine in engines():
    for shape in SHAPES:
        wraps(engine, shape)
    supervises(engine, SHAPES[-1])
    supervises_without_run_dir(engine)
