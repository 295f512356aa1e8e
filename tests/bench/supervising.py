# SPDX-License-Identifier: MIT
"""Supervise mode: start-up by the graph, memory, idle cost, restart, stop."""
import contextlib
import os
import signal
import time

import graphs
import inits
import lib
from running import Run

FIGURES = ("layered84", "random1000", "zero1000")  # graphs that goals are set for
PAUSE = 0.25  # seconds in which the kernel gives back what the run before had
SETTLE = 0.5  # seconds after which a supervisor has nothing left to do
STEADY = 1.3  # seconds after which s6 and runit take a service for steady


# ---- start ----

def start_contestants(name, services):
    """[(supervisor, how many rounds)]: the slow ones need fewer to be seen clearly."""
    ordering = any(service.deps for service in services)
    often = lib.rounds(5 if name in FIGURES else 3, 2)
    muster = inits.muster_supervisors()
    if lib.QUICK:
        muster = [m for m in muster if m.name != "muster-static"]
    elif muster:
        muster.append(inits.Muster(muster[0].name, "auto"))
        muster.append(inits.Muster(muster[0].name, confined=True))
    found = [(s, often) for s in (inits.Reference("event"), *muster)]
    for peer in inits.peer_supervisors(only_ordering=ordering):
        if peer.name != "supervisord":
            found.append((peer, lib.rounds(often, 1)))
        elif not lib.QUICK:
            found.append((peer, 1))
    if not lib.QUICK:
        found.append((inits.Reference("level:10"), 2))
        if sum(s.delay for s in services) < 20000:
            found.append((inits.Reference("seq"), 1))
    return found


def start_once(supervisor, services):
    time.sleep(PAUSE)
    with Run(supervisor, services, ready_fd=True) as run:
        run.wait_ready()
        own, _ = lib.split_tree(run.pid)
        return {"ms": run.makespan(), "violations": run.violations(),
                "cpu": lib.processor_ns(own) / 1e6,
                "first": (min(run.starts()) - run.launched[1]) / 1e6}


def start_rows(services, contestants):
    results = lib.take_turns({s.name: (count, lambda s=s: start_once(s, services))
                              for s, count in contestants})
    return {name: {"ms": lib.stat([r["ms"] for r in found]),
                   "cpu_ms": lib.stat([r["cpu"] for r in found]),
                   "first_ms": lib.stat([r["first"] for r in found]),
                   "violations": sum(r["violations"] for r in found)}
            for name, found in results.items()}


def start_table(name, critical, total, rows):
    floor = rows["ref-event"]["ms"]["median"]
    lines = [["critical path (theory)", critical, "1.000" if critical else "-", *[""] * 5]]
    if critical:
        lines.append(["one by one (theory)", total, f"{total / critical:.3f}", *[""] * 5])
    for who, r in rows.items():
        ms = r["ms"]["median"]
        lines.append([who, f"{ms:.0f}", f"{ms / critical:.3f}" if critical else "-",
                      lib.ratio(ms, floor), lib.spread(r["ms"]), f"{r['first_ms']['median']:.1f}",
                      f"{r['cpu_ms']['median']:.0f}", r["violations"]])
    return lib.table(graphs.describe(name),
                     ["scheduler", "all ready ms", "/ critical path", "/ floor", "min-max",
                      "first start ms", "its own cpu ms", "order violations"], lines)


def start(names=None):
    """From the exec of the init to its last service being ready, for each graph."""
    for name in names or lib.rounds(graphs.GRAPHS, FIGURES):
        services = graphs.GRAPHS[name]()
        critical = graphs.critical_path(services)
        rows = start_rows(services, start_contestants(name, services))
        shown = start_table(name, critical, sum(s.delay for s in services), rows)
        lib.save(f"start={name}", {"critical": critical, "rows": rows}, [shown])


# ---- memory ----

def all_supervisors():
    return [inits.Reference("event"), *inits.muster_supervisors(), *inits.peer_supervisors()]


def supervised_memory(supervisor, count):
    with Run(supervisor, graphs.flat(count)) as run:
        run.wait_ready()
        time.sleep(SETTLE)
        own, services = lib.split_tree(run.pid)
        if len(services) != count:
            run.fail(f"{len(services)} of {count} services are running")
        return lib.memory(own)


def memory():
    """Memory of a supervisor and its own processes."""
    rows, lines = {}, []
    for supervisor in all_supervisors():
        counts = lib.rounds((10, 100, 1000), (100, 1000))
        if isinstance(supervisor, inits.Muster):
            lib.write_back(supervisor.program)
        elif lib.QUICK and not isinstance(supervisor, inits.Reference):
            counts = (10, 100)
        try:
            found = {n: supervised_memory(supervisor, n) for n in counts}
        except lib.Failure as failure:
            lib.failed(failure)
            continue
        low, high = counts[-2:]
        marginal = (found[high]["dirty"] - found[low]["dirty"]) / (high - low)
        rows[supervisor.name] = {"at": found, "marginal_kb": marginal}
        for count, kb in found.items():
            lines.append([supervisor.name, count, kb["processes"], kb["rss"], kb["dirty"],
                          kb["page_tables"], f"{marginal:.2f}" if count == high else ""])
    lib.save("memory-supervise", {"rows": rows},
             [lib.table("supervising, the supervisor's own processes (kB)",
                        ["supervisor", "services", "processes", "RSS", "dirty", "page tables",
                         "dirty per further service"], lines)])


# ---- restart ----

def start_all(stack, supervisors, services, **options):
    """All of them at once; who does not get its services up is out."""
    runs = []
    for supervisor in supervisors:
        run = stack.enter_context(Run(supervisor, services, **options))
        try:
            run.wait_ready()
            runs.append(run)
        except lib.Failure as failure:
            lib.failed(failure)
    return runs


def service_pid(run):
    _, services = lib.split_tree(run.pid)
    if len(services) != 1:
        run.fail(f"{len(services)} services are running instead of one")
    return services[0]


def crash(run, pause):
    """Milliseconds from SIGKILL to the new process's first instructions."""
    time.sleep(pause)
    victim = service_pid(run)
    killed = time.monotonic_ns()
    os.kill(victim, signal.SIGKILL)
    run.wait(lambda: run.starts()[0] > killed, "the service was started again", 0.001, 20)
    return (run.starts()[0] - killed) / 1e6


def restart():
    """A service is killed and started again without delay, after it has been up for a while."""
    with contextlib.ExitStack() as stack:
        runs = start_all(stack, all_supervisors(), graphs.flat(1), restart=True)
        # whoever is first waits until everybody has been up for a while again
        results = lib.take_turns(
            {run.supervisor.name: (lib.rounds(7, 3),
                                   lambda run=run: crash(run, STEADY if run is runs[0] else 0))
             for run in runs})
    rows = {name: {"ms": lib.stat(found)} for name, found in results.items()}
    floor = rows["ref-event"]["ms"]["median"]
    lib.save("restart", {"rows": rows},
             [lib.table("killed, and running again without delay (ms)",
                        ["supervisor", "median", "min-max", "/ floor", "n"],
                        [[name, f"{r['ms']['median']:.2f}", lib.spread(r["ms"], 2),
                          lib.ratio(r["ms"]["median"], floor), r["ms"]["n"]]
                         for name, r in rows.items()])])


# ---- confinement ----

CONFINEMENTS = {
    "plain": {},
    "user": {"user": "nobody"},
    "no_new_privileges": {"no_new_privileges": "yes"},
    "capabilities": {"cap_drop": "ALL"},
    "seccomp": {"no_new_privileges": "yes", "seccomp": "default"},
    "landlock": {"no_new_privileges": "yes", "read_only": "/", "writable": "RECORDS"},
}
CONFINEMENTS["all"] = {key: value for keys in CONFINEMENTS.values() for key, value in keys.items()}


def confine():
    """What each kind of confinement adds to a start: crashes as above, of services that have it."""
    with contextlib.ExitStack() as stack:
        runs = start_all(stack, [inits.Confined(name, **keys) for name, keys in CONFINEMENTS.items()],
                         graphs.flat(1), restart=True)
        results = lib.take_turns(
            {run.supervisor.name: (lib.rounds(60, 10), lambda run=run: crash(run, 0))
             for run in runs})
    plain = lib.stat(results["plain"])["median"]
    rows = {name: {"ms": lib.stat(found), "added_ms": lib.stat(found)["median"] - plain}
            for name, found in results.items()}
    lib.save("confine", {"rows": rows},
             [lib.table("killed, and running again without delay, by what its keys take away (ms)",
                        ["keys", "median", "min-max", "added", "n"],
                        [[name, f"{r['ms']['median']:.2f}", lib.spread(r["ms"], 2),
                          f"{r['added_ms']:.2f}", r["ms"]["n"]] for name, r in rows.items()])])


# ---- stop ----

def stop_once(supervisor):
    with Run(supervisor, graphs.flat(100)) as run:
        run.wait_ready()
        time.sleep(SETTLE)
        return run.stop(), sum(1 for term in run.terms() if term), os.waitstatus_to_exitcode(
            run.launched[3])


def stop():
    """100 services that obey: from the signal to the init's own end."""
    results = lib.take_turns({s.name: (lib.rounds(5, 2 if s.orders else 1),
                                       lambda s=s: stop_once(s)) for s in all_supervisors()})
    rows = {name: {"ms": lib.stat([f[0] for f in found]), "told": min(f[1] for f in found),
                   "codes": sorted({f[2] for f in found})} for name, found in results.items()}
    floor = rows["ref-event"]["ms"]["median"]
    lib.save("stop", {"rows": rows},
             [lib.table("stopping 100 services that obey (ms)",
                        ["supervisor", "median", "min-max", "/ floor",
                         "saw SIGTERM (worst run)", "exit codes"],
                        [[name, f"{r['ms']['median']:.1f}", lib.spread(r["ms"], 1),
                          lib.ratio(r["ms"]["median"], floor), r["told"],
                          " ".join(map(str, r["codes"]))] for name, r in rows.items()])])


# ---- idle ----

def idle():
    """How often a supervisor of 100 idle services wakes up."""
    window = lib.rounds(30, 4)
    with contextlib.ExitStack() as stack:
        runs = start_all(stack, all_supervisors(), graphs.flat(100))
        time.sleep(lib.rounds(5, 2))
        own = [lib.split_tree(run.pid)[0] for run in runs]
        before = [(lib.wake_ups(pids), lib.processor_ns(pids)) for pids in own]
        time.sleep(window)
        after = [(lib.wake_ups(pids), lib.processor_ns(pids)) for pids in own]
    rows = {}
    for run, pids, was, now in zip(runs, own, before, after):
        rows[run.supervisor.name] = {"processes": len(pids),
                                     "per_minute": (now[0] - was[0]) * 60 / window,
                                     "cpu_us_per_s": (now[1] - was[1]) / 1e3 / window}
    lib.save("idle", {"rows": rows, "window": window},
             [lib.table(f"100 idle services, {window} s",
                        ["supervisor", "processes", "wake-ups a minute", "cpu µs a second"],
                        [[name, r["processes"], f"{r['per_minute']:.0f}",
                          f"{r['cpu_us_per_s']:.0f}"] for name, r in rows.items()])])
