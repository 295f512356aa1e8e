# SPDX-License-Identifier: MIT
"""5, 10 and 20 workers: from the start of each supervisor until all of them are ready, and what it costs then to
have it there; beside a shell script that starts one after another and looks every tenth of a second."""
import contextlib
import time

import graphs
import inits
import lib
import supervising

DELAY = 200  # milliseconds until a worker is ready
COUNTS = (5, 10, 20)


class Script(inits.Supervisor):
    """What people write before they have an init."""

    orders = True  # a worker that is ready says so

    def __init__(self):
        super().__init__("sh, one by one")

    def prepare(self, directory, job):
        lines = ["trap 'kill $pids; wait; exit 0' TERM"]
        for service in job.services:
            ready = directory / f"ready.{service.number}"
            lines += [f"{job.command(service)} 3> {ready} &", 'pids="$pids $!"',
                      f"until [ -s {ready} ]; do sleep 0.1; done"]
        script = directory / "start"
        script.write_text("\n".join([*lines, "wait"]) + "\n", encoding="ascii")
        return ["/bin/sh", str(script)], {}


def contestants():
    return [*supervising.all_supervisors(), Script()]


def started(count):
    """name -> milliseconds until all are ready, of each round."""
    services = graphs.flat(count, DELAY)
    return lib.take_turns({each.name: (lib.rounds(5, 2), lambda each=each: supervising.start_once(each, services)["ms"])
                           for each in contestants()})


def kept(count):
    """name -> memory and, while nothing happens, processor time; all of them at once."""
    window = lib.rounds(15, 3)
    with contextlib.ExitStack() as stack:
        runs = supervising.start_all(stack, contestants(), graphs.flat(count, DELAY), ready_fd=True)
        time.sleep(lib.rounds(3, 1))
        own = {run.supervisor.name: lib.split_tree(run.pid)[0] for run in runs}
        spent = {name: lib.processor_ns(pids) for name, pids in own.items()}
        time.sleep(window)
        return {name: {"rss": lib.memory(pids)["rss"],
                       "cpu_us_per_s": (lib.processor_ns(pids) - spent[name]) / 1e3 / window}
                for name, pids in own.items()}


def workers():
    """From 5 to 20 workers that need nothing but time."""
    data, tables = {}, []
    for count in lib.rounds(COUNTS, COUNTS[1:2]):
        costs = kept(count)
        rows = data[str(count)] = {name: {"ms": lib.stat(found), **costs[name]}
                                   for name, found in started(count).items() if name in costs}
        tables.append(lib.table(
            f"{count} workers, each ready after {DELAY} ms",
            ["supervisor", "all ready ms", "min-max", "RSS kB", "cpu µs a second, idle"],
            [[name, f"{row['ms']['median']:.0f}", lib.spread(row["ms"]), row["rss"], f"{row['cpu_us_per_s']:.0f}"]
             for name, row in rows.items()]))
    lib.save("workers", {"delay": DELAY, "rows": data}, tables)
