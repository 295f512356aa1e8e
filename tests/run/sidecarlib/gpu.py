# SPDX-License-Identifier: MIT
"""A sidecar with GPUs that tests/nvml/fake_nvml.c makes up; the lines of the scenario are explained there.

    with Gpus("gpus 2") as gpus:
        gpus.status("ok")["gpus"]
        gpus.scenario("gpus 2", "hang DeviceGetUUID")
"""

import os
import pathlib
import shutil
import tempfile

from lib import BUILD, check, proc_children, until
from sidecarlib import Page, Sidecar


def library(name="fake"):
    path = BUILD / "nvml" / f"{name}.so"
    check(path.exists(), f"{path} is not built (make tools)")
    return str(path)


class Scenario:
    """The file that the fake reads at each call."""

    def __init__(self, *lines):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="muster-gpu-"))
        self.dir.chmod(0o755)
        self.file = self.dir / "scenario"
        self.set(*lines)

    def set(self, *lines):
        new = self.dir / "new"
        new.write_text("".join(line + "\n" for line in lines))
        new.chmod(0o644)
        new.rename(self.file)

    def close(self):
        shutil.rmtree(self.dir)


class Gpus(Sidecar):
    """A sidecar beside a page with the service `web`, and this scenario."""

    def __init__(self, *lines, nvml=None, env=None, args=(), services=None, timeout=None, linked=True):
        self.fake = Scenario(*lines)
        extra = {"FAKE_NVML": str(self.fake.file), "MUSTER_NVML": nvml or library()}
        if timeout:
            extra["MUSTER_NVML_TIMEOUT"] = timeout
        super().__init__(*args, env={**extra, **(env or {})}, linked=linked)
        for name in [name for name, value in self.env.items() if value is None]:
            del self.env[name]
        self.page = Page(self.run_dir, services or [{"name": "web"}], phase="ready")

    def __exit__(self, *error):
        try:
            super().__exit__(*error)
        finally:
            self.fake.close()

    def scenario(self, *lines):
        self.fake.set(*lines)

    def status(self, state, wanted=lambda status: True, seconds=60):
        """/status once the GPUs are in this state and it is what is wanted. Each look asks for newer numbers."""
        last = {}

        def look():
            last["gpu"] = self.get("/status").json()
            return last["gpu"]["gpu"]["state"] == state and wanted(last["gpu"])

        until(look, lambda: f"GPUs {state}: {last['gpu']['gpu']} {last['gpu']['gpus']}\n{self.stderr}", seconds)
        return last["gpu"]

    def fresh(self, state="ok"):
        """/status with numbers that were read after this call."""
        ages = []

        def newer(status):
            ages.append(status["gpu"]["age_seconds"])
            return len(ages) > 1 and ages[-1] is not None and (ages[-2] is None or ages[-1] < ages[-2])

        return self.status(state, newer)

    def helpers(self):
        """The keeper and, behind it, the reader, as far as they are there."""
        keepers = proc_children(self.pid)
        return keepers + [pid for keeper in keepers for pid in proc_children(keeper)]


def gone(pids):
    """Waits until none of these processes is there, not even as a zombie."""
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), f"{pids} are gone")
