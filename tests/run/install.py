# SPDX-License-Identifier: MIT
"""make install puts programs, manual pages and completions where they belong, for all to read, and make uninstall takes
away these files and no other; blanks in a path, also in that of the sources, are no hindrance."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from lib import BUILD, ROOT, check, contains, equal

PROGRAMS = ("muster-init", "musterctl", "muster-sidecar", "gpu-check")  # the last one only where it was built
COMPLETED = PROGRAMS[:3]
# what is given to another make is not for this one
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKEOVERRIDES", "BUILD")}


def make(*words, tree=ROOT):
    done = subprocess.run(["make", "-s", *words], cwd=tree, text=True, capture_output=True, timeout=100, check=False, umask=0o077,
                          env=ENVIRONMENT)
    equal(done.returncode, 0, f"exit code of make {words}, which said {done.stderr}")


def make_into(target, prefix, destination):
    # what is tested is installed, not what another make would build
    make("-o", "all", target, f"BUILD={BUILD}", f"PREFIX={prefix}", f"DESTDIR={destination}")


def files(folder):
    """{path: (mode, bytes)} of all files below."""
    return {str(path.relative_to(folder)): (path.stat().st_mode & 0o7777, path.read_bytes())
            for path in folder.rglob("*") if path.is_file() or path.is_symlink()}


def expected(prefix):
    """{path: (mode, bytes)} of what is to be installed."""
    wanted = {f"{prefix}bin/{name}": (0o755, BUILD / name) for name in PROGRAMS if (BUILD / name).exists()}
    for page in (ROOT / "docs").glob("*.[158]"):
        wanted[f"{prefix}share/man/man{page.suffix[1:]}/{page.name}"] = (0o644, page)
    for name in COMPLETED:
        wanted[f"{prefix}share/bash-completion/completions/{name}"] = (0o644, ROOT / f"docs/completions/{name}.bash")
        wanted[f"{prefix}share/zsh/site-functions/_{name}"] = (0o644, ROOT / f"docs/completions/_{name}")
    return {path: (mode, source.read_bytes()) for path, (mode, source) in wanted.items()}


for prefix in ("", "/opt/muster here"):
    with tempfile.TemporaryDirectory(prefix="muster install-") as temporary:
        root = pathlib.Path(temporary)
        below = prefix[1:] + "/" if prefix else ""
        for name in ("bin/other", "bin/muster-initx", "share/man/man8/other.8", "share/zsh/site-functions/_other", "share/kept"):
            path = root / (below + name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("of somebody else\n")
        before = files(root)
        for _ in range(2):  # a second time over what is there
            make_into("install", prefix, root)
        now = files(root)
        wanted = before | expected(below)
        equal(sorted(now), sorted(wanted), "files after make install")
        equal([name for name in now if now[name] != wanted[name]], [], "files with another content or mode")
        made = root / below / "share/bash-completion/completions"
        equal([path.stat().st_mode & 0o777 for path in (made, made.parent)], [0o755] * 2, "directories that were made")
        for name in COMPLETED:
            said = subprocess.run([root / f"{below}bin/{name}", "--version"], text=True, capture_output=True, timeout=60, check=True).stdout
            contains(said, name, "--version")
        make_into("uninstall", prefix, root)
        equal(sorted(files(root)), sorted(before), "files after make uninstall")
        check(files(root) == before, "what others have put there is as it was")

with tempfile.TemporaryDirectory(prefix="muster tree-") as temporary:
    tree = pathlib.Path(temporary)
    for name in ("common", "scripts"):
        shutil.copytree(ROOT / name, tree / name)
    for name in ("Makefile", "tests/bench/bench.mk"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    make("build/obj/common/sig.o", tree=tree)
    check((tree / "build/obj/common/sig.o").exists(), "what is compiled in a folder with blanks")
