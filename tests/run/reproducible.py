# SPDX-License-Identifier: MIT
"""The same sources make the same programs wherever they lie: some objects of muster-init and musterctl are made again from
a copy elsewhere, into a folder of another name, with another umask and time zone; the programs that are linked with
them equal those that are tested, byte by byte. (make check-reproducible makes all of a release twice.)"""
import os
import pathlib
import shutil
import subprocess
import tempfile

from lib import BUILD, ROOT, check, equal, skip

PROGRAMS = ("muster-init", "musterctl")
SOURCES = ("Makefile", "LICENSE", "scripts", "common", "init", "tests/bench/bench.mk")
EACH = 16  # of so many objects one is made again: all would take as long as a build

if not all((BUILD / name).exists() for name in PROGRAMS):
    skip("not built here")
with tempfile.TemporaryDirectory(prefix="muster-twice-") as temporary:
    tree = pathlib.Path(temporary) / "another" / "place"
    for name in SOURCES:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, tree / name)
    objects = tree / "elsewhere/obj"
    shutil.copytree(BUILD / "obj", objects, ignore=shutil.ignore_patterns("tests", "sidecar", "lib*.a"))
    again = sorted(path for path in objects.rglob("*.o")
                   if (tree / path.relative_to(objects)).with_suffix(".c").exists())[::EACH]
    check(len(again) > 5, f"objects to make again: {again}")
    for path in again:
        path.unlink()
    # the flags name the folder, which is another
    old = [word for name in ("flags", "sources") for word in ("-o", f"elsewhere/obj/{name}")]
    made = [f"elsewhere/{name}" for name in PROGRAMS]
    done = subprocess.run(["make", "-s", *old, "BUILD=elsewhere", *made], cwd=tree, text=True, capture_output=True, timeout=110,
                          check=False, umask=0o077, env=os.environ | {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8"})
    equal(done.returncode, 0, f"exit code of make, which said {done.stderr[-2000:]}")
    equal(sum(path.exists() for path in again), len(again), "objects that were made again")
    for name in PROGRAMS:
        first, second = ((folder / name).read_bytes() for folder in (BUILD, tree / "elsewhere"))
        same = first == second
        equal(same, True, f"whether {name} is the same, {len(first)} and {len(second)} bytes")
