# SPDX-License-Identifier: MIT
"""The Debian packages install into a root of Debian 12 with nothing else in it, work there with muster-init as process 1,
and leave nothing when they are removed."""
import pathlib
import shutil
import tempfile

from distlib import DEB, VERSION, machine, run
from lib import check, contains, equal, need, need_root, skip

CONFIG = """
[muster]
name = packaged
[service:web]
command = sh -c 'echo started; exec sleep 1000'
[service:look]
type = oneshot
depends_on = web
command = sh /look
[service:late]
depends_on = look
readiness_probe = http://127.0.0.1:9180/livez
command = sleep 1000
[service:end]
type = oneshot
depends_on = late
command = sh -c 'kill -TERM 1'
"""
LOOK = """
musterctl status
ps=$(cat /proc/1/comm); echo process 1 is $ps
"""

need_root()
mmdebstrap = need("mmdebstrap")
packages = [DEB / f"{name}_{VERSION}-1_{machine()}.deb" for name in ("muster", "muster-sidecar")]
if not all(path.exists() for path in packages):
    skip(f"there are no packages in {DEB}: make deb")


def in_root(*command, seconds=120):
    return run("unshare", "--pid", "--fork", "--mount", "--kill-child", "sh", "-c",
               'mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/run" && exec chroot "$0" "$@"', root, *command, seconds=seconds)


with tempfile.TemporaryDirectory(prefix="muster-deb-", ignore_cleanup_errors=True) as temporary:
    folder = pathlib.Path(temporary)
    folder.chmod(0o755)
    root = folder / "root"
    for path in packages:
        shutil.copy(path, folder)
    # apt resolves what they depend on; what they only recommend is left out
    code, _, said = run(mmdebstrap, "--variant=apt", "--mode=root", "--skip=cleanup", *(f"--include={folder / path.name}" for path in packages),
                        "--hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount", "bookworm", root, seconds=600)
    equal(code, 0, f"exit code of mmdebstrap, which said {said[-2000:]}")
    equal(in_root("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}\n", "muster", "muster-sidecar")[1],
          f"{VERSION}-1 installed\n" * 2, "what dpkg says")
    equal(in_root("dpkg", "--verify", "muster", "muster-sidecar")[:2], (0, ""), "dpkg --verify")
    for name in ("muster-init", "musterctl", "muster-sidecar"):
        equal(in_root(name, "--version")[:2], (0, f"{name} {VERSION}\n"), "--version")
    for page in ("man1/musterctl.1", "man5/muster.ini.5", "man8/muster-init.8", "man8/muster-sidecar.8"):
        check((root / f"usr/share/man/{page}.gz").exists(), f"{page} is there")
    equal(in_root("muster-init", "--", "sh", "-c", "exit 7")[0], 7, "exit code, wrapped")
    (root / "muster.ini").write_text(CONFIG)
    (root / "look").write_text(LOOK)
    code, out, said = in_root("muster-init", "-c", "/muster.ini")
    equal(code, 0, f"exit code of the container, which wrote {out}{said}")
    contains(out, "process 1 is muster-init", "what a service sees")
    contains(out, "packaged", "musterctl status")
    contains(out + said, "late: ready", "the log")
    equal(in_root("dpkg", "--purge", "muster", "muster-sidecar")[0], 0, "exit code of dpkg --purge")
    left = [str(path) for path in (root / "usr").rglob("*muster*") if "/src/" not in str(path)]
    equal(left, [], "what is left behind")
