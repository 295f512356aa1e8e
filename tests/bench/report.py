# SPDX-License-Identifier: MIT
"""docs/benchmarks.md and the pictures in it, from the recorded results."""
import json

import goals
import lib
import plot

HEAD = """# Benchmarks

What muster costs and how fast it is, beside floors of our own (the least a program can do for the
same job) and other inits, all measured in one run and in turns, so that a busy machine is busy for
everybody. `make bench` makes it again, `make bench BENCH="wrap workers"` a part of it; `QUICK=1`
takes few rounds; `DINIT=path` adds a dinit. This page and its pictures are written by
`tests/bench/bench.py report` from [the recorded results](benchmarks.jsonl) and newer ones; one of a
quick run never takes the place of a full one.

Times come from the measured services themselves (they note when they started, were ready, were
told to stop), not from what an init believes. Numbers are medians of the rounds.

- `ref-init`: vfork, exec, a sigwaitinfo loop, static and without libc.
- `ref-event`: starts a service the instant its last dependency is ready (epoll and vfork), nothing
  else. `ref-level:10`: level by level, at most 10 at once, a barrier between levels. `ref-seq`: one
  after another.
- `muster`: the default build. `muster-static`: `STATIC=1`. `muster-musl`: `STATIC=musl`.
  `start_parallel = unlimited`, except for `muster-auto`, which has the default; and without the
  filter of system calls that services get by default, as no other init sets one, except for
  `muster-confined`.
- Peers are Debian's packages; what is not there is skipped and says so.
- Supervisors run as PID 1 of a PID namespace of their own and, where that is allowed, in a cpu
  cgroup of their own, as in a container. Without one the kernel's autogroups give each session its
  own share of the processors, and on a busy machine every init that puts services into sessions
  (muster, dinit) waits for them.
- It is best run on a quiet machine: on a busy one even the floor has taken five times as long.
"""

# heading, and the results below it
CHAPTERS = (
    ("Around one program", ("wrap", "memory-wrap", "signal", "reap")),
    ("Starting services", ("start=layered84", "reference", "start=random1000", "start=zero1000", "start=wide200",
                           "start=chain50", "workers", "adaptive")),
    ("Supervising them", ("memory-supervise", "idle", "restart", "confine", "stop", "lines")),
    ("The sidecar", ("http", "metrics", "sidecar", "dns", "resolve", "forward")),
)


# ---- Markdown ----

def cell(text):
    return str(text).replace("|", "\\|")


def markdown_table(header, rows):
    lines = ["| " + " | ".join(map(cell, header)) + " |",
             "|---|" + "---:|" * (len(header) - 1)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def machine_line(entry):
    m = entry["machine"]
    return f"{m['cpus']} CPUs ({m['model']}), {m['kernel']}, {m['cgroup']}"


def section(name, entry, pictures):
    """pictures: file -> what it shows"""
    kind = "quick run, few rounds" if entry["quick"] else "full run"
    lines = [f"### `bench.py {name.partition('-')[0]}`", "",
             f"{entry['date'][:10]}, {kind}, {machine_line(entry)}, load average {entry['load']:.1f}."]
    for file, shown in pictures.items():
        lines += ["", f"![{shown}]({lib.PICTURES.name}/{file})"]
    for shown in entry["tables"]:
        lines += ["", shown["title"] + ":", "", markdown_table(shown["header"], shown["rows"])]
    return "\n".join(lines)


def shown_with(name, pictures):
    return {file: plot.title_of(pictures[file]) for file in pictures if plot.PICTURES[file][1][0] == name}


def page(results, pictures):
    latest = max(results.values(), key=lambda entry: entry["date"])
    parts = [HEAD, f"## Goals\n\n{latest['date'][:10]}, {machine_line(latest)}. {goals.summary(results)}\n",
             markdown_table(*goals.table(results)), ""]
    for chapter, names in CHAPTERS:
        found = [name for name in names if name in results]
        if found:
            parts += [f"## {chapter}", ""]
        for name in found:
            parts += [section(name, results[name], shown_with(name, pictures)), ""]
    return "\n".join(parts).rstrip() + "\n"


# ---- files ----

def in_order(results):
    """Those of the chapters, in their order."""
    return {name: results[name] for _, names in CHAPTERS for name in names if name in results}


def write(docs):
    """benchmarks.jsonl, benchmarks.md and the pictures, in that directory."""
    results = in_order(lib.newest())
    if not results:
        raise SystemExit("bench: there are no results yet: run `bench.py all` first")
    pictures = plot.drawn(results)
    (docs / lib.RECORD.name).write_text("".join(json.dumps(entry) + "\n" for entry in results.values()), encoding="utf-8")
    (docs / "benchmarks.md").write_text(page(results, pictures), encoding="utf-8")
    plot.write(docs / lib.PICTURES.name, pictures)
    lib.say(f"wrote {docs / 'benchmarks.md'}\n{goals.summary(results)}")
