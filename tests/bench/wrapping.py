# SPDX-License-Identifier: MIT
"""Wrap mode: what it costs to have an init around one program."""
import os
import shutil
import subprocess
import time

import inits
import lib
import running


def output_of(argv):
    result = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise lib.Failure(f"{' '.join(argv)}: ended with {result.returncode}")
    return result.stdout


def collect(contestants, count, measure):
    """name -> results of measure(what stands before the program), `count` of each."""
    return lib.take_turns({name: (count, lambda prefix=prefix: measure(prefix))
                           for name, prefix in contestants.items()})


def wrap():
    """Added wall time of wrapping a program that does nothing, pinned to one CPU."""
    true = lib.tool("true")
    contestants = {"bare": []} | inits.wrap_inits()
    runs = lib.rounds(200, 60)

    def block(prefix):
        words = output_of([lib.tool("wrap"), str(lib.PINNED_CPU), str(runs), *prefix, true])
        return [int(word) for word in words.split()]

    blocks = collect(contestants, lib.rounds(15, 7), block)
    rows = {}
    for name in blocks:
        added = [(one[0] - bare[0]) / 1e3 for one, bare in zip(blocks[name], blocks["bare"])]
        rows[name] = {"wall_us": lib.stat([b[0] / 1e3 for b in blocks[name]]),
                      "added_us": lib.stat(added),
                      "cpu_us": lib.stat([b[1] / 1e3 for b in blocks[name]]),
                      "faults": lib.stat([b[2] for b in blocks[name]])}
    floor, bare = rows["ref-init"]["added_us"]["median"], rows["bare"]["wall_us"]["median"]
    shown = lib.table(
        f"wrapping `true`, CPU {lib.PINNED_CPU}, blocks of {runs} (µs)",
              ["init", "wall", "added", "min-max", "/ floor", "x bare", "cpu", "page faults"],
              [[name, f"{r['wall_us']['median']:.0f}", f"{r['added_us']['median']:.0f}",
                lib.spread(r["added_us"]), lib.ratio(r["added_us"]["median"], floor),
                lib.ratio(r["wall_us"]["median"], bare), f"{r['cpu_us']['median']:.0f}",
                f"{r['faults']['median']:.0f}"] for name, r in rows.items()])
    lib.save("wrap", {"rows": rows, "runs": runs}, [shown])


def wrapped_memory(prefix):
    """kB of an init that wraps `sleep`, once it sleeps too."""
    process = subprocess.Popen([*prefix, "/bin/sleep", "100"], stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 5
        while "sleep" not in map(os.path.basename, map(lib.program, lib.tree(process.pid))):
            if time.monotonic() > deadline:
                raise lib.Failure(f"{prefix[0]} did not start sleep")
            time.sleep(0.01)
        time.sleep(0.1)
        own, _ = lib.split_tree(process.pid)
        return lib.memory(own)
    finally:
        process.terminate()
        process.wait()


def memory():
    """Memory of an init that wraps `sleep`."""
    contestants = inits.wrap_inits()
    for prefix in contestants.values():
        lib.write_back(prefix[0])
    results = collect(contestants, 3, wrapped_memory)
    rows = {name: {key: lib.stat([m[key] for m in found]) for key in found[0]}
            for name, found in results.items()}
    shown = lib.table("wrapping `sleep` (kB)", ["init", "RSS", "dirty", "page tables"],
              [[name, *(f"{r[key]['median']:.0f}" for key in ("rss", "dirty", "page_tables"))]
               for name, r in rows.items()])
    lib.save("memory-wrap", {"rows": rows}, [shown])


def signal_block(cpu, count, prefix):
    """Microseconds, or None for a signal that was lost."""
    shared = lib.temporary_directory()
    try:
        (shared / "when").write_bytes(bytes(8))
        os.mkfifo(shared / "answers")
        lines = output_of([lib.tool("signal"), "send", str(cpu), str(count), str(shared),
                           *prefix]).split()
    finally:
        shutil.rmtree(shared)
    return [None if line == "lost" else int(line) / 1e3 for line in lines]


def signal_rows(results):
    rows = {}
    for name, blocks in results.items():
        values = sorted(v for block in blocks for v in block if v is not None)
        medians = [lib.stat([v for v in block if v is not None])["median"] for block in blocks]
        rows[name] = {"us": lib.stat(medians), "p99_us": values[len(values) * 99 // 100],
                      "sent": sum(map(len, blocks)),
                      "lost": sum(block.count(None) for block in blocks)}
    return rows


def signals():
    """Latency of a signal through the init, as deployed and pinned to one CPU."""
    contestants = {"direct": []} | inits.wrap_inits()
    data, tables = {}, []
    for mode, cpu, count, blocks in (("unpinned", -1, *lib.rounds((50, 40), (15, 8))),
                                     ("pinned", lib.PINNED_CPU, *lib.rounds((20, 15), (15, 3)))):
        results = collect(contestants, blocks,
                          lambda prefix, cpu=cpu, n=count: signal_block(cpu, n, prefix))
        rows = data[mode] = signal_rows(results)
        floor = rows["ref-init"]["us"]["median"]
        tables.append(lib.table(
            f"signal forwarding, {mode}, blocks of {count} (µs)",
                  ["init", "median", "min-max", "/ floor", "p99", "lost of", "sent"],
                  [[name, f"{r['us']['median']:.1f}", lib.spread(r["us"], 1),
                    lib.ratio(r["us"]["median"], floor), f"{r['p99_us']:.0f}", r["lost"],
                    r["sent"]] for name, r in rows.items()]))
    lib.save("signal", data, tables)


def reap_once(kind, count, prefix):
    """(ms until all were reaped, processor time of init in ms, most at once), init being PID 1."""
    shared = lib.temporary_directory()
    running.map_records(shared / "launch", 1)
    try:
        words = output_of([lib.tool("launch"), "-n", str(shared / "launch"), *prefix,
                           lib.tool("orphans"), kind, str(count)]).split()
    finally:
        shutil.rmtree(shared)
    if len(words) != 3:
        raise lib.Failure(f"{prefix[0]}: orphans were left")
    return int(words[0]) / 1e6, int(words[1]) / 1e6, int(words[2])


def reap():
    """Orphans: many at once, and one after another."""
    contestants = inits.wrap_inits()
    data, tables = {}, []
    for kind, count in (("backlog", lib.rounds(20000, 5000)),
                        ("double", lib.rounds(10000, 2500))):
        results = collect(contestants, lib.rounds(3, 1),
                          lambda prefix, k=kind, c=count: reap_once(k, c, prefix))
        rows = data[kind] = {name: {"ms": lib.stat([r[0] for r in found]),
                                    "cpu_ms": lib.stat([r[1] for r in found]),
                                    "peak": lib.stat([r[2] for r in found])}
                             for name, found in results.items()}
        floor = rows["ref-init"]["cpu_ms"]["median"]
        tables.append(lib.table(
            f"{count} orphans, {kind}: ms until the last is reaped; processor time of PID 1",
                  ["init", "ms", "min-max", "cpu ms", "µs each", "/ floor", "most at once"],
                  [[name, f"{r['ms']['median']:.1f}", lib.spread(r["ms"], 1),
                    f"{r['cpu_ms']['median']:.1f}",
                    f"{r['cpu_ms']['median'] * 1000 / count:.1f}",
                    lib.ratio(r["cpu_ms"]["median"], floor), f"{r['peak']['median']:.0f}"]
                   for name, r in rows.items()]))
    lib.save("reap", data, tables)
