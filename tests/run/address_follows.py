# SPDX-License-Identifier: MIT
"""When what is in force goes away the next fallback takes its turn, and back: services that asked are
restarted with the new address in environment and arguments, or signalled; others are left alone. A
reload changes nothing of that."""

import contextlib
import subprocess

from lib import CTL, Init, check, contains, equal, free_port, tool, until
from sidecarlib import Target

M = tool("misbehave")


def config(port):
    return f"""
[sidecar]
listen = 127.0.0.1:0
[address:redis]
port = {port}
testing = 127.0.0.1, 127.0.0.2
check_period = 200ms
export = REDIS_URL=redis://{{host}}:{{port}}/0
[address:other]
port = 1
testing = 127.0.0.9
[service:mentions]
command = sh -c 'echo "$1 $REDIS_URL" >>{{dir}}/mentions; exec sleep 1000' x ${{address:redis:host}}
on_address_change = restart
[service:takes-all]
command = sh -c 'echo $MUSTER_ADDRESS_REDIS >>{{dir}}/all; exec sleep 1000'
on_address_change = restart
[service:signalled]
command = {M} on HUP [ append {{dir}}/signalled HUP ] append {{dir}}/listens x forever
on_address_change = signal:HUP
[service:elsewhere]
command = sh -c 'echo $1 >>{{dir}}/elsewhere; exec sleep 1000' x ${{address:other}}
on_address_change = restart
[service:bell]
command = {M} forever
start = manual
[service:ignores]
command = sh -c 'echo "$1" >>{{dir}}/ignores; exec sleep 1000' x ${{address:redis}}
"""


def follow(init, stack, name, *options):
    """musterctl events, writing to this file."""
    with open(init.path(name), "wb") as file:
        process = subprocess.Popen([CTL, "events", *options], env=init.env, stdout=file)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def main():
    with contextlib.ExitStack() as stack:
        best = Target(host="127.0.0.1", port=free_port())  # it is to be had a second time
        port = best.port
        stack.enter_context(Target(host="127.0.0.2", port=port))
        init = Init(config=config(port), env={"MUSTER_MODE": "testing"})
        with best:
            stack.enter_context(init)
            until(lambda: init.read("mentions").count("\n") == 1, "it has started")
            init.wait_line(r"all ready after")
            # one that is restarted or signalled sooner than it has run would tell nothing, ever
            for name in ("all", "listens", "elsewhere", "ignores"):
                init.wait_file(name)
            before = init.services()
            followers = [(name, follow(init, stack, f"{name}.events", *options))
                         for name, options in (("text", ()), ("json", ("--json",)))]

            def heard():
                init.ctl("start", "bell")
                init.ctl("stop", "bell")
                return all("bell" in init.read(f"{name}.events") for name, _ in followers)

            until(heard, "they follow", 60)
        # the best one is gone
        until(lambda: init.read("mentions").count("\n") == 2, "it is started again", 60)
        until(lambda: init.read("all").count("\n") == 2, "the other one, too", 60)
        equal(init.read("mentions").splitlines(), [f"127.0.0.1 redis://127.0.0.1:{port}/0",
                                                   f"127.0.0.2 redis://127.0.0.2:{port}/0"], "what it was told")
        equal(init.read("all").splitlines()[-1], f"127.0.0.2:{port}", "what the other one was told")
        until(lambda: init.read("signalled").count("\n") == 1, "the signal", 60)
        init.wait_line(rf"address redis: now 127\.0\.0\.2:{port} at 127\.0\.0\.2")
        # and so are told those who follow events
        until(lambda: f" address redis -> 127.0.0.2:{port}\n" in init.read("text.events"), "the event as text")
        until(lambda: f'"address":"redis","to":"127.0.0.2:{port}"' in init.read("json.events").replace(" ", ""), "as JSON")
        check(not any(process.poll() for _, process in followers), "they go on")
        after = init.services()
        for name in ("signalled", "elsewhere", "ignores"):
            equal(after[name]["pid"], before[name]["pid"], f"process of {name}")
        # started from now on, anything is told what is in force
        equal(init.ctl("restart", "ignores").returncode, 0, "restart")
        until(lambda: init.read("ignores").splitlines() == [f"127.0.0.1:{port}", f"127.0.0.2:{port}"], "after a restart")
        equal(init.ctl("reload").stdout, "nothing changed\n", "a reload")
        pids = {name: service["pid"] for name, service in init.services().items() if name != "muster-sidecar"}
        # it is back
        with Target(host="127.0.0.1", port=port):
            until(lambda: init.read("mentions").count("\n") == 3, "and back", 60)
            contains(init.read("mentions").splitlines()[-1], f"127.0.0.1 redis://127.0.0.1:{port}/0", "what it is told")
            now = init.services()
            equal((now["ignores"]["pid"], now["elsewhere"]["pid"]), (pids["ignores"], pids["elsewhere"]), "left alone")


main()
