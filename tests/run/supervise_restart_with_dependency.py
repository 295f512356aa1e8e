# SPDX-License-Identifier: MIT
"""depends_on = NAME:restart: who asked for it starts anew with its dependency, who did not goes on."""
import signal

from lib import Init, check, equal, until

CONFIG = """
[service:db]
command = sh -c 'until [ -e {dir}/db-may ]; do sleep 0.01; done; touch {dir}/db-ready; sleep 1000'
readiness_probe = file:{dir}/db-ready
post_stop = rm -f {dir}/db-ready
restart_backoff = 10ms
[service:loose]
command = sleep 1000
depends_on = db
[service:bound]
command = sleep 1000
depends_on = db:healthy:restart
[service:behind]
command = sleep 1000
depends_on = bound:restart, ?loose
[service:idle]
command = sleep 1000
start = manual
depends_on = ?db:restart
[service:late]
command = sleep 1000
start = manual
depends_on = db:restart
"""
ALL = ("db", "loose", "bound", "behind", "idle", "late")


def starts(init):
    return {name: service["starts"] for name, service in init.services().items()}


with Init(config=CONFIG) as init:
    init.wait_state("db", "starting")
    init.wait_state("bound", "waiting")
    init.write("db-may", "")
    init.wait_line("all ready after")
    equal(init.ctl("start", "idle", "late").returncode, 0, "exit code of start")
    equal(init.ctl("stop", "late").returncode, 0, "exit code of stop")
    equal(starts(init), dict.fromkeys(ALL, 1), "starts")
    edges = {d["name"]: d["restart"] for d in init.services()["behind"]["depends_on"]}
    equal(edges, {"bound": True, "loose": False}, "edges on the status page")

    # after a crash; meanwhile those that it takes with it wait for it
    (init.dir / "db-may").unlink()
    init.ctl("signal", "db", "KILL")
    init.wait_state("bound", "waiting")
    service = init.services()["bound"]
    equal((service["reason"], service["cause"], service["root"]), ("waits for db", "db", "db"), "why bound waits")
    until(lambda: init.services()["idle"]["state"] == "waiting", "idle, which waits for one that is optional, too")
    equal(init.services()["behind"]["state"], "running", "what does not depend on db itself")
    init.write("db-may", "")
    until(lambda: starts(init) == {"db": 2, "loose": 1, "bound": 2, "behind": 2, "idle": 2, "late": 1},
          lambda: f"starts after a crash: {starts(init)}")
    equal(init.ctl("wait", "behind", "idle").returncode, 0, "exit code of wait")

    # by hand
    equal(init.ctl("restart", "db").returncode, 0, "exit code of restart")
    until(lambda: starts(init) == {"db": 3, "loose": 1, "bound": 3, "behind": 3, "idle": 3, "late": 1},
          lambda: f"starts after a restart: {starts(init)}")
    equal(init.ctl("wait", "behind", "idle").returncode, 0, "exit code of wait")

    # by a reload, which says so before
    init.write("muster.ini", init.fill(CONFIG.replace("10ms", "11ms")))
    before = init.services()
    plan = init.ctl("reload", "--dry-run").stdout
    lines = [line.split() for line in plan.splitlines()]
    equal(lines, [["db", "restart", "restart_backoff"], ["loose", "keep"], ["bound", "restart", "with", "db"],
                  ["behind", "restart", "with", "bound"], ["idle", "restart", "with", "db"], ["late", "keep"]],
          "what a reload would do")
    equal({n: s["pid"] for n, s in init.services().items()}, {n: s["pid"] for n, s in before.items()},
          "processes after asking")
    equal(init.ctl("reload").stdout, "restarted: db, bound, behind, idle\n", "what the reload did")
    equal(init.ctl("wait", "db", "behind", "idle").returncode, 0, "exit code of wait")
    after = init.services()
    for name in ALL[:5]:
        equal(after[name]["pid"] == before[name]["pid"], name == "loose", f"the same process of {name}")
    equal(after["late"]["state"], "inactive", "the one that was stopped by hand")
    check("late: restarts" not in init.stderr, "late was left alone")
    init.signal(signal.SIGTERM)
    equal(init.wait(), 0, "exit code")

BAD = """
[service:a]
command = true
depends_on = b:restart:healthy:restart, c:restart, b:restarted
[service:b]
command = true
[service:c]
type = external
readiness_probe = file:/
"""
with Init("--check", config=BAD) as init:
    equal(init.wait(), 78, "exit code of --check")
    for part in ("expected :started, :healthy or :completed, and :restart", "nobody restarts with it", "b:restarted"):
        check(part in init.stderr, part)
