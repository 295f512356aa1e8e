# SPDX-License-Identifier: MIT
"""A reload starts what is new, stops what is gone, restarts what changed, and leaves everything else alone."""
from lib import Init, equal, tool, until

M = tool("misbehave")


def service(name, *keys, words=""):
    return (f"[service:{name}]\ncommand = {M} on TERM [ append {{dir}}/ended {name} exit 0 ] {words} "
            f"append {{dir}}/started {name} forever\n" + "".join(f"{key}\n" for key in keys))


READY = "readiness_probe = file:/"
BEFORE = service("gone") + service("same", READY) + service("changed") + service("needs", "depends_on = same, changed") \
    + service("probe", READY, "liveness_probe = exec:true") + service("env", "environment = A=1") + service("last")
# in another order, so that nothing keeps its place
AFTER = service("new", "depends_on = needs, same") + service("last") + service("env", "environment = A=2") \
    + service("needs", "depends_on = same, changed") + service("changed", words="sleep 1") \
    + service("probe", READY, "liveness_probe = exec:false", "liveness_probe_failure_threshold = 1000") \
    + service("same", READY)

with Init(config=BEFORE) as init:
    init.wait_line("all ready after")
    until(lambda: init.read("started").count("\n") == 7, "all run")
    before = init.services()
    init.write("muster.ini", init.fill(AFTER))
    result = init.ctl("reload")
    equal(result.returncode, 0, "exit code of musterctl reload")
    equal(sorted(result.stdout.splitlines()), ["added: new", "removed: gone", "restarted: changed, probe, env"],
          "what is said")
    until(lambda: "new" in init.services(), "the new plan is in force")
    equal(init.ctl("wait", "new", "env", "changed", "probe").returncode, 0, "exit code of musterctl wait")
    until(lambda: init.read("started").count("\n") == 7 + 4, "what is new or changed runs")
    after = init.services()
    equal(list(after), ["new", "last", "env", "needs", "changed", "probe", "same"], "services")
    for name in ("same", "needs", "last"):
        for what in ("pid", "starts", "state", "since"):
            equal(after[name][what], before[name][what], f"{what} of {name}")
    for name in ("changed", "probe", "env"):
        equal(after[name]["pid"] != before[name]["pid"], True, f"another process of {name}")
    equal(sorted(init.read("ended").split()), ["changed", "env", "gone", "probe"], "what ended")
    equal([d["name"] for d in after["new"]["depends_on"]], ["needs", "same"], "dependencies of the new one")
    equal(init.ctl("reload").stdout, "nothing changed\n", "a second time")
    equal({n: s["pid"] for n, s in init.services().items()}, {n: s["pid"] for n, s in after.items()}, "processes")
    # what it knows afterwards is right: order of the end, by the new graph
    (init.dir / "ended").unlink()
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    ended = init.read("ended").split()
    equal(len(ended), 7, "services that ended")
    for first, then in (("new", "needs"), ("needs", "same"), ("needs", "changed")):
        equal(ended.index(first) < ended.index(then), True, f"{first} before {then}: {ended}")
