# SPDX-License-Identifier: MIT
"""start_parallel: auto beside no limit and every fixed one, on services of which many compute while
they start (Python that imports and works) and others wait."""
import os
import random
import re
import shutil
import signal
import subprocess
import sys

import graphs
import inits
import lib

SEED = 11
LIMITS = ("auto", "unlimited", 1, 2, 3, 4, 6, 8, 12)
# processor time in milliseconds, then ready; the imports are what agents bring along
AGENT = """
import asyncio, email, http.client, json, ssl, sys, time, xml.etree.ElementTree
while time.process_time() < int(sys.argv[1]) / 1000:
    json.loads(json.dumps({str(n): [n] * 10 for n in range(200)}))
open(3, "w").write("\\n")
time.sleep(1000)
"""
WAITER = "import sys, time; time.sleep(int(sys.argv[1]) / 1000); open(3, 'w').write('\\n'); time.sleep(1000)"


def services():
    """40 in 5 layers: every second one computes 100 to 400 ms, the others sleep as long."""
    rng = random.Random(SEED)
    found, above = [], []
    for _ in range(5):
        layer = range(len(found), len(found) + 8)
        for number in layer:
            deps = graphs.pick_deps(rng, above, graphs.pick(rng, 1, 2))
            kind = "agent" if number % 2 else "waiter"
            found.append(graphs.Service(number, f"{kind}-{number}", graphs.pick(rng, 100, 400), deps))
        above = layer
    return found


def config(limit):
    lines = [f"[muster]\nstart_parallel = {limit}\nlog = inherit\n"]
    for service in services():
        program = AGENT if service.name.startswith("agent") else WAITER
        lines.append(f"[service:{service.name}]\ncommand = {sys.executable} -S ${{PROGRAM_{program is AGENT:d}}} {service.delay}\n"
                     "readiness_probe = fd:3\nseccomp = unconfined\n")
        if service.deps:
            lines.append("depends_on = " + ", ".join(services()[n].name for n in service.deps) + "\n")
    return "".join(lines)


def start_once(limit):
    """Milliseconds until all are ready, as muster says."""
    folder = lib.temporary_directory()
    try:
        (folder / "muster.ini").write_text(config(limit), encoding="ascii")
        for number, program in enumerate((WAITER, AGENT)):
            (folder / f"program{number}.py").write_text(program, encoding="ascii")
        environment = dict(os.environ, MUSTER_RUN_DIR=str(folder), PROGRAM_0=str(folder / "program0.py"),
                           PROGRAM_1=str(folder / "program1.py"))
        init = subprocess.Popen(["unshare", "-pf", "--kill-child", "--mount-proc", inits.find_muster("muster"), "-c",
                                 str(folder / "muster.ini")], env=environment, stderr=subprocess.PIPE, text=True)
        took = None
        for line in init.stderr:
            took = re.search(r"all ready after (?:(\d+)m)?([\d.]+)(ms|s)", line)
            if took:
                break
        init.send_signal(signal.SIGKILL)
        init.wait()
        init.stderr.close()
        if not took:
            raise RuntimeError("never ready")
        return int(took[1] or 0) * 60000 + float(took[2]) * (1 if took[3] == "ms" else 1000)
    finally:
        shutil.rmtree(folder)


def adaptive():
    limits = LIMITS if not lib.QUICK else LIMITS[:5]
    results = lib.take_turns({str(limit): (lib.rounds(3, 2), lambda limit=limit: start_once(limit)) for limit in limits})
    rows = {name: lib.stat(found) for name, found in results.items()}
    best = min(row["median"] for row in rows.values())
    lib.save("adaptive", {"rows": {name: {"ms": row, "of_best": row["median"] / best} for name, row in rows.items()}},
             [lib.table("40 services, 20 of which compute, until all are ready (ms)",
                        ["start_parallel", "median", "min-max", "/ best", "n"],
                        [[name, f"{row['median']:.0f}", lib.spread(row, 0), f"{row['median'] / best:.2f}", row["n"]]
                         for name, row in rows.items()])])
