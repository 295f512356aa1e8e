# SPDX-License-Identifier: MIT
"""Over a reload a stopped service stays stopped, a manual one that runs comes back, and counters go on counting."""
import json

from lib import Init, equal, tool

M = tool("misbehave")


def config(word, extra=""):
    return "".join(f"[service:{name}]\ncommand = {M} append {{dir}}/log {name}-{word} forever\n{keys}\n" for name, keys in (
        ("keep", ""), ("stopped", ""), ("manual-up", "start = manual"), ("manual-down", "start = manual"),
        ("becomes-auto", "start = manual" if word == "a" else ""), ("failed", "essential = no\nrestart = no\n"
         f"command = {M} exit 1" if word == "a" else ""))).replace(
             f"command = {M} append {{dir}}/log failed-a forever\n", "") + extra


with Init(config=config("a")) as init:
    init.wait_state("failed", "failed")
    equal(init.ctl("stop", "stopped").returncode, 0, "exit code of musterctl stop")
    equal(init.ctl("start", "manual-up").returncode, 0, "exit code of musterctl start")
    init.wait_line("start-up is over|all ready")
    before = json.loads(init.ctl("status", "--json").stdout)
    init.write("muster.ini", init.fill(config("b")))
    equal(init.ctl("reload").returncode, 0, "exit code of musterctl reload")
    for name in ("keep", "manual-up", "becomes-auto", "failed"):
        init.wait_state(name, "running")
    states = {name: service["state"] for name, service in init.services().items()}
    equal((states["stopped"], states["manual-down"]), ("inactive", "inactive"), "what was down")
    after = json.loads(init.ctl("status", "--json").stdout)
    equal(after["startup"], before["startup"], "the start-up, which is over")
    equal(after["changes"] > before["changes"], True, "the count of changes goes on")
    equal(after["init"]["reaped"] >= before["init"]["reaped"], True, "the count of orphans goes on")
    equal(init.ctl("health", "--startup").returncode, 0, "exit code of musterctl health --startup")
