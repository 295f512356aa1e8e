# SPDX-License-Identifier: MIT
"""The archive of programs holds all that is installed, by its checksum; its static programs run where there is
nothing else, and what of the hardening a smaller build with musl keeps, it keeps."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from distlib import DIST, VERSION, archive, machine, run, unpack
from lib import BUILD, IS_ROOT, ROOT, check, contains, equal, skip

packed = archive(machine())
equal(run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=DIST), (0, "", ""), "sha256sum --check")
for name in DIST.glob("muster-*"):
    contains((DIST / "SHA256SUMS").read_text(), f"  {name.name}\n", "SHA256SUMS")

with tempfile.TemporaryDirectory(prefix="muster-dist-") as temporary:
    folder = pathlib.Path(temporary)
    tree = unpack(packed, folder)
    listed = subprocess.run(["make", "-s", "-n", "STATIC=1", "uninstall", "PREFIX=", f"DESTDIR={tree}"], cwd=ROOT, text=True,
                            capture_output=True, check=True, env=os.environ | {"MAKEFLAGS": ""}).stdout
    installed = set(listed.replace("rm -f", "").split())
    check(len(installed) > 10, f"what is installed: {installed}")
    for name in installed | {f"{tree}/bin/muster-sidecar", f"{tree}/share/doc/muster/LICENSE"}:
        check(pathlib.Path(name).is_file(), f"{name} is in the archive")
    equal(sorted(path.name for path in (tree / "share/doc/muster/licenses").iterdir() if "gcc" not in path.name),
          ["libc6-dev", "libinih-dev", "libseccomp-dev", "libyaml-dev"], "whose terms are there")
    for name in ("muster-init", "musterctl", "muster-sidecar"):
        contains(run(tree / "bin" / name, "--version")[1], VERSION, f"{name} --version")

    if not IS_ROOT:
        skip("a root with nothing in it but the static programs needs root")
    bare = folder / "bare"
    bare.mkdir()
    for name in ("muster-init", "musterctl"):
        shutil.copy(tree / "bin" / name, bare)
    chroot = ("unshare", "--pid", "--fork", "chroot", bare, "/muster-init")
    equal(run(*chroot, "--", "/musterctl", "--version")[:2], (0, f"musterctl {VERSION}\n"), "wrapped in an empty root")
    equal(run(*chroot, "--", "/nothing")[0], 127, "exit code for a program that is not there")

musl = BUILD / "musl"
if not (musl / "muster-init").exists():
    skip("not built: STATIC=musl")
equal(run(ROOT / "scripts/check-hardening", "--musl", musl / "muster-init", musl / "musterctl", "--objects",
          *(musl / "obj").glob("*/**/*.o")), (0, "", ""), "the hardening of the build with musl")
