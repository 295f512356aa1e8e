# SPDX-License-Identifier: MIT
"""What `make dist` and `make deb` have left, for tests to try."""
import pathlib
import re
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "run"))

from lib import BUILD, ROOT, skip

VERSION = re.search(r'MUSTER_VERSION "(.*)"', (ROOT / "common/version.h").read_text())[1]
DIST = BUILD / "dist"
DEB = BUILD / "deb"


def archive(arch=""):
    """The archive of an architecture, or of the sources; a test of one that was not made is skipped."""
    path = DIST / f"muster-{VERSION}{arch and f'-linux-{arch}'}.tar.gz"
    return path if path.exists() else skip(f"there is no {path.name} in {DIST}: make dist")


def unpack(path, folder):
    """The one folder in it."""
    with tarfile.open(path) as packed:
        packed.extractall(folder, filter="tar") if hasattr(tarfile, "tar_filter") else packed.extractall(folder)
    return folder / path.name.removesuffix(".tar.gz")


def run(*command, seconds=60, **options):
    """Exit code, and what was written to stdout and stderr."""
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=seconds, check=False,
                          stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout, done.stderr


def machine():
    return run("dpkg", "--print-architecture")[1].strip()
