# SPDX-License-Identifier: MIT
"""Init gives up the capabilities that no service needs, and none where one runs as root; its memory is its own."""
import subprocess

from lib import DONE, FAILED, RELOAD, Init, check, contains, equal, need, need_root, proc_status, skip, tool

need_root()
M = tool("misbehave")
OWN = {0, 1, 2, 3, 5, 6, 7, 8, 10, 19, 23, 24}  # what init itself works with


def sets(pid):
    """The capability sets of a process by name, as sets of numbers."""
    status = proc_status(pid)
    return {name: {bit for bit in range(64) if int(status["Cap" + name], 16) >> bit & 1}
            for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}


FULL = sets("self")
if not FULL["Bnd"] - OWN:
    skip("there is nothing to give up here")


def section(name, *keys):
    return f"[service:{name}]\ncommand = {M} forever\n" + "".join(key + "\n" for key in keys)


USER = section("user", "user = 4321")

# nobody needs more than init
with Init(config=USER) as init:
    init.wait_line("all ready after")
    held = sets(init.pid)
    for name in ("Prm", "Eff", "Bnd"):
        equal(held[name], FULL[name] & OWN, f"Cap{name} of init")
    equal(held["Inh"], set(), "CapInh of init")
    user = init.services()["user"]["pid"]
    equal(sets(init.outside(user))["Eff"], set(), "CapEff of the service")
    # who needs what is gone cannot come any more; others can
    for late in (section("late"), section("late", "user = 4321", "no_new_privileges = no")):
        init.write("muster.ini", USER + late)
        with init.control() as control:
            kind, text = control.ask(RELOAD)
        equal(kind, FAILED, "answer to the reload")
        contains(text.decode(), "[service:late] needs capabilities that muster-init gave up", "what is said")
        equal(set(init.services()), {"user"}, "services")
    init.write("muster.ini", USER + section("late", "user = 4322"))
    with init.control() as control:
        equal(control.ask(RELOAD)[0], DONE, "answer to the reload")
    init.wait_state("late", "running")
    equal(init.services()["user"]["pid"], user, "the service that stays")

# a service of root has all it would have had, also one that comes later
for root in ((), ("no_new_privileges = no",)):
    with Init(config=USER + section("root", *root)) as init:
        init.wait_line("all ready after")
        for name in ("Prm", "Eff", "Bnd"):
            equal(sets(init.pid)[name], FULL[name], f"Cap{name} of init with a service of root")
        found = sets(init.outside(init.services()["root"]["pid"]))
        equal((found["Eff"], found["Bnd"]), (FULL["Eff"], FULL["Bnd"]), "capabilities of the service")
        init.write("muster.ini", USER + section("root", *root) + section("more"))
        with init.control() as control:
            equal(control.ask(RELOAD)[0], DONE, "answer to the reload")
        init.wait_state("more", "running")
        equal(sets(init.outside(init.services()["more"]["pid"]))["Eff"], FULL["Eff"], "capabilities of the new one")

# a program that only passes signals on changes nothing about itself
with Init("--", M, "print", "up", "forever") as init:
    init.wait_line("up", "stdout")
    equal(sets(init.pid), FULL, "capabilities of init that wraps")

# who has no capabilities does not get at its environment, root included
with Init(config=section("root")) as init:
    init.wait_line("all ready after")
    words = [need("setpriv"), "--bounding-set=-all", "--inh-caps=-all", "cat", f"/proc/{init.pid}/environ"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    check(result.returncode != 0 and not result.stdout, "the environment of init is readable")
    contains(result.stderr, "Permission denied", "what the thief is told")
