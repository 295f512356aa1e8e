# SPDX-License-Identifier: MIT
"""With too few descriptors for all services some wait, none ends the container, and init does not spin."""
import resource

from lib import Init, check, equal, read_proc, tool, until

M = tool("misbehave")
CONFIG = "".join(f"""
[service:s{i}]
command = {M} pid {{dir}}/up forever
restart_backoff = 20ms..100ms
""" for i in range(20))


def processor_seconds(init):
    fields = read_proc(init.pid, "stat").decode().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


with Init(config=CONFIG, setup=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))) as init:
    init.wait_line("cannot start misbehave: descriptors: Too many open files; starting again in")
    until(lambda: init.read("up").count("\n") >= 4, "some run")
    up = [name for name, service in init.services().items() if service["state"] == "running"]
    used = processor_seconds(init)
    # clients are turned away, not left waiting
    codes = {init.ctl("stop", up[0]).returncode for _ in range(20)}
    check(codes <= {0, 6}, f"exit codes of musterctl stop: {codes}")
    until(lambda: init.stderr.count("Too many open files") > 100, "it tries again and again")
    check(processor_seconds(init) - used < 3, "processor time")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
