# SPDX-License-Identifier: MIT
"""memory_max, cpu_max and pids_max: what is written where, in a directory that stands for a delegated cgroup v2; and
one clear warning for each of them where there is none."""
from lib import Init, check, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} sleep 600000
memory_max = 64M
cpu_max = 1.5
pids_max = 20
restart = no
essential = no
stop_grace_period = 100ms
[service:two]
command = {M} ignore TERM pid {{dir}}/deaf forever
replicas = 2
memory_max = 1G
stop_grace_period = 100ms
[service:free]
command = {M} forever
"""
FILES = "cgroup.procs cgroup.subtree_control cgroup.controllers cgroup.kill memory.max memory.events cpu.max pids.max"


def make(init, controllers):
    """What the kernel would make: files as they are in a cgroup."""
    root = init.dir / "cgroup"
    for name in (".", "init", "service.web", "service.two.0", "service.two.1"):
        (root / name).mkdir(parents=True)
        for file in FILES.split():
            (root / name / file).write_text("")
    (root / "cgroup.controllers").write_text(controllers + "\n")
    (root / "memory.events").write_text("oom 0\noom_kill 0\n")
    (root / "service.web" / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 0\n")
    return lambda path: (root / path).read_text()


def warnings(init):
    return [line for line in init.stderr.splitlines() if "_max " in line]


def prepared(controllers, config=CONFIG):
    init = Init(config=config)
    init.env["MUSTER_CGROUP_ROOT"] = init.path("cgroup")
    return init, make(init, controllers)


init, read = prepared("cpuset cpu io memory hugetlb pids")
with init:
    init.wait_line("all ready after")
    equal(read("init/cgroup.procs")[:1], "0", "what moved init")
    equal([read(f"service.web/{name}") for name in ("memory.max", "cpu.max", "pids.max", "cgroup.procs")],
          [str(64 << 20), "150000 100000", "20", "0"], "web")
    equal([read(f"service.two.1/{name}") for name in ("memory.max", "cpu.max", "pids.max", "cgroup.procs")],
          [str(1 << 30), "", "", "0"], "two.1")
    equal(read("cgroup.subtree_control"), "+pids" + "ry", "the last controller that was switched on, over +memory")
    equal(warnings(init), [], "warnings")
    # stopped with KILL: its cgroup is killed
    until(lambda: init.read("deaf").count("\n") == 2, "both ignore TERM")
    equal(read("service.two.0/cgroup.kill"), "", "cgroup.kill of one that runs")
    init.ctl("stop", "two.0")
    equal(read("service.two.0/cgroup.kill"), "1", "cgroup.kill of one that was stopped")
    # who was killed for want of memory, and by which limit
    events = init.dir / "cgroup" / "service.web" / "memory.events"
    init.ctl("signal", "web", "SIGKILL")
    init.wait_state("web", "failed")
    equal(init.services()["web"]["reason"], "ended by signal 9 (KILL)", "reason without the kernel's doing")
    init.ctl("start", "web")
    events.write_text("max 8\noom 2\noom_kill 3\n")
    init.ctl("signal", "web", "SIGKILL")
    init.wait_state("web", "failed")
    equal(init.services()["web"]["reason"], "killed by the OOM killer (memory_max 64M)", "reason")
    init.wait_line(r"web: failed: killed by the OOM killer \(memory_max 64M\)")
    init.ctl("start", "web")
    events.write_text("max 8\noom 2\noom_kill 4\n")
    init.ctl("signal", "web", "SIGKILL")
    init.wait_state("web", "failed")
    equal(init.services()["web"]["reason"], "killed by the OOM killer (no memory was left in the container)", "reason")
    # one without limits, by the counter of the container
    (init.dir / "cgroup" / "memory.events").write_text("oom 1\noom_kill 1\n")
    init.ctl("signal", "free", "SIGKILL")
    init.wait_line(r"free: killed by the OOM killer \(no memory was left in the container\); starting again")
    until(lambda: init.services()["free"]["starts"] == 2, "it runs again")
    init.wait_state("free", "running")
    init.ctl("signal", "free", "SIGKILL")
    init.wait_line(r"free: ended by signal 9 \(KILL\); starting again")
    # a reload that changes a limit restarts that service
    init.write("muster.ini", init.fill(CONFIG.replace("pids_max = 20", "pids_max = 30")))
    equal(init.ctl("reload").stdout, "restarted: web\n", "what a reload says")
    init.ctl("start", "web")
    equal(read("service.web/pids.max"), "30", "pids.max after it")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
    equal(read("cgroup.procs"), "0", "what moved init back")

# only some of them, or none: said once for each key, with the services, and not again by a reload
for controllers, keys in (("cpu io", ["memory_max", "pids_max"]), ("hugetlb", ["memory_max", "cpu_max", "pids_max"])):
    init, read = prepared(controllers)
    with init:
        init.wait_line("all ready after")
        init.write("muster.ini", init.fill(CONFIG + "environment = A=1\n"))
        init.ctl("reload")
        until(lambda: "reloaded" in init.stderr, "the reload")
        equal([line.split()[2] for line in warnings(init)], keys, "warnings")
        check(warnings(init)[0].endswith("; asked for by web, two.0, two.1"), warnings(init)[0])
        equal(read("service.web/cgroup.procs"), "0" if "cpu" in controllers else "", "whether web is in a cgroup")
        equal(read("init/cgroup.procs"), "0" if "cpu" in controllers else "", "whether init moved")
