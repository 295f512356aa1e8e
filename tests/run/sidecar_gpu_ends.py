# SPDX-License-Identifier: MIT
"""The processes that face the driver are confined and hold nothing of the sidecar's, and end with it, however it
ends, also when they hang; told to end, the sidecar leaves nothing behind."""

import os
import signal

from lib import check, equal, open_files, proc_status, until
from sidecarlib.gpu import Gpus, gone

DENIED = "muster-gpu"


def look(pid, what):
    status = proc_status(pid)
    equal(status["Name"], DENIED, f"{what}: name")
    equal((status["NoNewPrivs"], status["Seccomp"] != "0" or "sanitize" in os.environ.get("MUSTER_TESTED_SIDECAR", "")),
          ("1", True), f"{what}: confined")
    for name in ("Inh", "Prm", "Eff", "Amb"):
        equal(int(status["Cap" + name], 16), 0, f"{what}: Cap{name}")
    limits = dict((line[:25].strip(), line[26:46].strip()) for line in open(f"/proc/{pid}/limits", encoding="ascii"))
    equal((limits["Max core file size"], limits["Max file size"]), ("0", "0"), f"{what}: limits")
    check(int(limits["Max open files"]) <= 1024, f"{what}: {limits['Max open files']}")
    files = [name for fd, name in open_files(pid).items() if fd > 2]
    check(len([name for name in files if name.startswith("socket:")]) <= 2, f"{what}: {files}")


def helpers(gpus):
    return until(lambda: len(gpus.helpers()) == 2 and gpus.helpers(), "both processes")


def main():
    for lines, options in (((), {}), (("hang DeviceGetName",), {}), (("hang Init",), {})):
        for signo in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            with Gpus(*lines, **options) as gpus:
                pids = helpers(gpus)
                if not lines:
                    gpus.status("ok")
                    for pid, what in zip(pids, ("keeper", "reader")):
                        look(pid, what)
                    for pid in pids:  # as the group of the sidecar's terminal would
                        os.kill(pid, signal.SIGTERM)
                        os.kill(pid, signal.SIGINT)
                    gpus.fresh()
                    equal(gpus.helpers(), pids, "they end with the sidecar, not before it")
                os.kill(gpus.pid, signo)
                equal(gpus.process.wait(20), -9 if signo == signal.SIGKILL else 0, "code of the sidecar")
                gone(pids)
    # muster-init's end of the channel is closed: the sidecar ends, and they with it
    with Gpus() as gpus:
        pids = helpers(gpus)
        gpus.link.close()
        equal(gpus.process.wait(20), 0, "code of the sidecar")
        gone(pids)


main()
