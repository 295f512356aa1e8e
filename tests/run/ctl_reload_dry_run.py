# SPDX-License-Identifier: MIT
"""reload --dry-run says what a reload would do to each service and why, does nothing, and the reload then does that."""
import json
import signal

from lib import Init, contains, equal



def service(name, *keys, command="sleep 1000"):
    return f"[service:{name}]\ncommand = {command}\n" + "".join(f"{key}\n" for key in keys)


BEFORE = service("same") + service("gone") + service("gone-down", "start = manual") \
    + service("many", "environment = A=1", "umask = 022") + service("down", "start = manual") \
    + service("manual", "start = manual") + service("needs", "depends_on = same")
AFTER = service("new", "depends_on = same") + service("new-manual", "start = manual") \
    + service("needs", "depends_on = ?same") + service("manual") + service("down", "start = manual", "nice = 1") \
    + service("many", "environment = A=2", "umask = 027", "stop_grace_period = 3s", "ulimit_core = 0",
              command="sleep 1001") + service("same")
PLAN = {
    "same": ("keep", []), "gone": ("stop", []), "gone-down": ("remove", []),
    "many": ("restart", ["command", "environment", "stop_grace_period", "ulimit_*", "umask"]),
    "down": ("change", ["nice"]), "manual": ("start", ["start"]), "needs": ("restart", ["depends_on"]),
    "new": ("start", []), "new-manual": ("add", []),
}


def ask(init):
    result = init.ctl("reload", "--dry-run", "--json")
    equal((result.returncode, result.stderr), (0, ""), "exit code and errors of a dry run")
    answer = json.loads(result.stdout)
    plan = {s["name"]: (s["action"], s["keys"]) for s in answer["services"]}
    equal(answer["changes"], sum(action != "keep" for action, _ in plan.values()), "changes")
    return plan


with Init(config=BEFORE) as init:
    init.wait_line("all ready after")
    before = init.services()
    equal(set(map(str, ask(init).values())), {"('keep', [])"}, "nothing changed")
    contains(init.ctl("reload", "-n").stdout, "nothing would change\n", "for people")
    init.write("muster.ini", init.fill(AFTER))
    equal(ask(init), PLAN, "the plan")
    equal(ask(init), PLAN, "the plan, asked again")
    text = [line.split(None, 2) for line in init.ctl("reload", "--dry-run").stdout.splitlines()]
    contains(text, ["many", "restart", "command,environment,stop_grace_period,ulimit_*,umask"], "for people")
    contains(text, ["down", "change", "nice: stays down"], "for people")
    equal(init.services().keys(), before.keys(), "services")
    equal([s["pid"] for s in init.services().values()], [s["pid"] for s in before.values()], "processes")

    # what is said is done
    equal(init.ctl("reload").returncode, 0, "exit code of the reload")
    equal(init.ctl("wait", "many", "manual", "needs", "new").returncode, 0, "exit code of wait")
    after = init.services()
    for name, (action, _) in PLAN.items():
        equal(name in after, action not in ("stop", "remove"), f"{name} is there")
        if name in after and name in before:
            equal(after[name]["pid"] == before[name]["pid"], action in ("keep", "change"), f"process of {name}")
        if name in after:
            equal(after[name]["pid"] is not None, action not in ("change", "add"), f"{name} runs")
    equal({action for action, _ in ask(init).values()}, {"keep"}, "after it")

    # refused: the errors, and nothing else
    init.write("muster.ini", init.fill(AFTER) + "restart = sometimes\n")
    result = init.ctl("reload", "--dry-run", "--json")
    equal((result.returncode, result.stdout), (1, ""), "exit code and output of a refused one")
    contains(result.stderr, "restart: ", "the error")
    equal(init.ctl("reload", "--json").returncode, 2, "--json alone")

    # more than one answer can hold
    init.write("muster.ini", "".join(service(f"a-rather-long-name-for-a-service-{i}") for i in range(400)))
    plan = ask(init)
    equal(len(plan), 400 + len(after), "services of a long answer")
    equal(sum(action == "start" for action, _ in plan.values()), 400, "of these to start")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")
