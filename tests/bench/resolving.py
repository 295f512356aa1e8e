# SPDX-License-Identifier: MIT
"""The address book: how long one answer takes."""
import subprocess

import lib

SIZES = (10, 100, 1000, 10000)


def resolve():
    """One answer from a book of so many addresses."""
    program = lib.BUILD / "bench" / "resolve"
    if not program.exists():
        raise lib.Skip(f"{program} is not built")
    rows = {}
    for size in SIZES:
        output = subprocess.run([program, str(size), str(lib.rounds(25, 7))], check=True, stdout=subprocess.PIPE,
                                text=True).stdout
        rows[f"{size} addresses"] = {"ns": lib.stat([float(line) for line in output.split()])}
    lib.save("resolve", {"rows": rows},
             [lib.table("one answer of the address book", ["book", "ns", "min-max"],
                        [[name, f"{row['ns']['median']:.0f}", lib.spread(row["ns"])] for name, row in rows.items()])])
