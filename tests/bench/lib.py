# SPDX-License-Identifier: MIT
"""What the measurements share: where things are, numbers, tables, results, and looking at
processes through /proc."""
import datetime
import json
import os
import pathlib
import platform
import statistics
import sys
import tempfile

import cgroup

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
BUILD = BUILD if BUILD.is_absolute() else ROOT / BUILD
RESULTS = BUILD / "bench" / "results.jsonl"
RECORD = ROOT / "docs" / "benchmarks.jsonl"  # those that the page was made from
PICTURES = ROOT / "docs" / "benchmarks"
QUICK = os.environ.get("QUICK", "") not in ("", "0")
PINNED_CPU = max(os.sched_getaffinity(0))


class Skip(Exception):
    """A measurement that cannot be made here, and why."""


class Failure(Exception):
    """A program did not do what was asked; its last words are part of it."""


def tool(name):
    """Path of one of our own programs (bench.mk builds them)."""
    path = BUILD / "bench" / name
    if not path.exists():
        sys.exit(f"bench: {path} is missing: run `make bench-programs` (or `make bench`) first")
    return str(path)


def rounds(full, quick):
    return quick if QUICK else full


def say(text=""):
    print(text, flush=True)


def skipped(name, reason):
    say(f"  - {name}: skipped: {reason}")


failures = []  # what went wrong, for the exit code


def failed(failure):
    failures.append(str(failure))
    say(f"  ! {failure}")


def take_turns(jobs, back_and_forth=False):
    """jobs: name -> (rounds, function). Calls them in turns, so that what disturbs the machine
    disturbs everybody; every second turn from the last to the first, if that is wanted. Returns
    name -> results; who fails is out."""
    results = {name: [] for name in jobs}
    for turn in range(max(count for count, _ in jobs.values())):
        order = list(jobs.items())
        for name, (count, measure) in order[::-1] if back_and_forth and turn % 2 else order:
            if turn >= count or name not in results:
                continue
            try:
                results[name].append(measure())
            except Failure as failure:
                failed(failure)
                del results[name]
    return results


# ---- numbers ----

def stat(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "n": len(values)}


def ratios(values, base):
    """Of those that were measured in the same turns."""
    return stat([one / its for one, its in zip(values, base)])


def ratio(value, floor):
    return f"{value / floor:.2f}" if floor else "-"


def spread(values, digits=0):
    return f"{values['min']:.{digits}f}-{values['max']:.{digits}f}"


def table(title, header, rows):
    """Prints rows of texts under a header, columns aligned, and returns them for save()."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [header] + rows) for i in range(len(header))]
    say(f"\n{title}")
    for row in [header] + rows:
        cells = [cell.ljust(w) if i == 0 else cell.rjust(w)
                 for i, (cell, w) in enumerate(zip(row, widths))]
        say("  " + "  ".join(cells))
    return {"title": title, "header": header, "rows": rows}


# ---- results ----

def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = " ".join(line.split(":", 1)[1].split())
                break
    release = ".".join(platform.release().split("-")[0].split(".")[:2])
    return {"cpus": len(os.sched_getaffinity(0)), "model": model,
            "kernel": f"Linux {release} {platform.machine()}", "cgroup": cgroup.describe()}


def save(bench, data, tables):
    """Appends a measurement to the results file, from which the report is made."""
    entry = {"bench": bench, "date": datetime.datetime.now().isoformat(timespec="seconds"), "quick": QUICK,
             "machine": machine(), "load": os.getloadavg()[0], "data": data,
             "tables": tables}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with open(RESULTS, "a", encoding="utf-8") as out:
        out.write(json.dumps(entry) + "\n")


def newest():
    """The last result of each measurement, of those recorded and those of this build; a full one rather than a quick
    one."""
    found = {}
    for path in (RECORD, RESULTS):
        if not path.exists():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            rank = not entry["quick"], entry["date"]
            if entry["bench"] not in found or rank >= found[entry["bench"]][0]:
                found[entry["bench"]] = rank, entry
    return {name: entry for name, (_, entry) in found.items()}


# ---- files ----

def temporary_directory():
    """A new one, in memory where that is possible, so that no disk is measured. Others may look
    into it: the sidecar is another user."""
    shm = "/dev/shm"
    usable = os.access(shm, os.W_OK) and not os.statvfs(shm).f_flag & os.ST_NOEXEC
    path = pathlib.Path(tempfile.mkdtemp(prefix="muster-bench-", dir=shm if usable else None))
    path.chmod(0o755)
    return path


def write_back(path):
    """Has the disk take a file: pages of a program that was just built count as dirty in every
    process that maps them until then."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


# ---- processes ----

def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def program(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def tree(pid):
    """The process and all below it."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children(pid)
    return found


def split_tree(pid, programs=("tiny", "sleep")):
    """(the init's own processes, the services'): what runs one of these programs is a service."""
    own, services = [], []
    for process in tree(pid):
        name = os.path.basename(program(process))
        (services if name in programs else own).append(process)
    return own, services


def read_fields(path):
    """The `Name:  number kB` lines of a file in /proc."""
    fields = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, rest = line.partition(":")
            words = rest.split()
            if words and words[0].isdigit():
                fields[name] = int(words[0])
    return fields


def memory(pids):
    """kB, summed: resident, dirty and not shared, page tables."""
    total = {"rss": 0, "dirty": 0, "page_tables": 0, "processes": len(pids)}
    for pid in pids:
        rollup = read_fields(f"/proc/{pid}/smaps_rollup")
        total["rss"] += rollup["Rss"]
        total["dirty"] += rollup["Private_Dirty"]
        total["page_tables"] += read_fields(f"/proc/{pid}/status").get("VmPTE", 0)
    return total


def wake_ups(pids):
    """How often the processes went to sleep and came back, since they began."""
    return sum(read_fields(f"/proc/{pid}/task/{task}/status")["voluntary_ctxt_switches"]
               for pid in pids for task in os.listdir(f"/proc/{pid}/task"))


def processor_ns(pids):
    """How long the processes have run, all threads, by the scheduler's own count."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
    return total
