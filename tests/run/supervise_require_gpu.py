# SPDX-License-Identifier: MIT
"""require_gpu: gpu-check runs before each start and before pre_start, as the service's user; without the GPU the start has
failed, and the reason says why. It is looked for beside muster-init, then in the service's PATH."""
import os
import re
import shutil
import subprocess

from lib import BUILD, CTL, INIT, IS_ROOT, ROOT, Init, contains, equal, tool, until

M = tool("misbehave")
HEADER = (ROOT / "common/gpu_codes.h").read_text()
NUMBERS = dict(re.findall(r"(GPU_\w+) = (\d+)", HEADER))
TEXTS = {int(NUMBERS[name]): text for name, text in re.findall(r'case (GPU_\w+):\s+return "(.*)";', HEADER)}
CONFIG = f"""
[service:model]
require_gpu = 8.9
command = {M} append {{dir}}/order program on TERM [ exit 0 ] on USR1 [ exit 1 ] forever
restart_backoff = 1ms..1ms
start_retries = 2
"""
# the code that it exits with lies in a file
SCRIPT = f"""#!/bin/sh
echo "check $*" >>{{dir}}/order
{M} identity {{dir}}/work/check
echo "about the GPU"
exit $(cat {{dir}}/code)
"""


class Run(Init):
    """muster-init in a folder without gpu-check, and gpu-check beside it or in the folder `bin` of PATH."""

    def __init__(self, config=CONFIG, where="bin", code=0):
        super().__init__(config=config)
        self.program = self.path("own/muster-init")
        for name in ("own", "bin", "work"):
            (self.dir / name).mkdir()
        (self.dir / "work").chmod(0o777)
        shutil.copy(INIT, self.program)
        self.env["PATH"] = f"{self.path('bin')}:{self.env['PATH']}"
        self.write("order", "", mode=0o666)
        self.write("code", str(code))
        if where:
            self.write(f"{where}/gpu-check", self.fill(SCRIPT), mode=0o755)

    def order(self):
        return self.read("order").splitlines()


CHECK = "check --require 8.9"

# found in PATH, or beside muster-init whatever PATH says
for where, path in (("bin", ""), ("own", "environment = PATH=/usr/bin:/bin\n")):
    with Run(CONFIG + path, where=where) as init:
        init.wait_state("model", "running")
        until(lambda: len(init.order()) == 2, "both have run")
        equal(init.order(), [CHECK, "program"], "order of the start")
        # before each start
        init.ctl("signal", "model", "USR1")
        until(lambda: len(init.order()) == 4, "the second start")
        equal(init.order(), [CHECK, "program"] * 2, "order of the starts")

# with pre_start behind it, each as the service's user; both count as one start
user = "user = 65534\n" if IS_ROOT else ""
with Run(CONFIG.replace("8.9", "any") + user + f"pre_start = {M} append {{dir}}/order pre-start\n") as init:
    init.wait_state("model", "running")
    until(lambda: len(init.order()) == 3, "all have run")
    equal(init.order(), ["check --require any", "pre-start", "program"], "order of the start")
    if IS_ROOT:
        equal(init.json("work/check")["status"]["Uid"].split(), ["65534"] * 4, "user of the check")
with Run(CONFIG + "pre_start = sh -c 'exit 6'\n") as init:
    equal(init.wait(), 6, "exit code when pre_start fails")
    equal(init.order(), [CHECK] * 2, "attempts")
    init.wait_line("model: failed: its pre_start command exited with code 6")

# each of its exit codes: a failed start with this reason, tried start_retries times; nothing else runs
equal(len(TEXTS), len(NUMBERS), f"texts in {TEXTS}")
for code, text in TEXTS.items():
    if code == 0:
        continue
    with Run(CONFIG + f"pre_start = {M} append {{dir}}/order pre-start\n", code=code) as init:
        equal(init.wait(), code, "exit code of the container")
        equal(init.order(), [CHECK] * 2, "attempts")
        init.wait_line(re.escape(f"model: failed: require_gpu = 8.9: {text} (exit code {code})"))
with Run(code=99) as init:
    equal(init.wait(), 99, "exit code of the container")
    init.wait_line("model: failed: require_gpu = 8.9: gpu-check failed \\(exit code 99\\)$")

# a service that is not essential leaves the others alone; its reason stands in the status
with Run(CONFIG + f"essential = no\n[service:other]\ncommand = {M} on TERM [ exit 0 ] forever\n", code=10) as init:
    init.wait_state("model", "failed")
    init.wait_state("other", "running")
    contains(init.ctl("status", "model").stdout, "require_gpu = 8.9: no NVIDIA driver", "status")

# not there: told at the check of the configuration, and a failed start
with Run(where=None) as init:
    if not shutil.which("gpu-check"):
        equal(init.wait(), 127, "exit code without gpu-check")
        init.wait_line("model: failed: cannot start gpu-check: No such file or directory")
        shutil.copy(CTL, init.path("own/musterctl"))
        result = subprocess.run([init.path("own/musterctl"), "check", "--strict", init.path("muster.ini")], env=init.env,
                                capture_output=True, text=True, check=False)
        equal(result.returncode, 1, "exit code of musterctl check --strict")
        contains(result.stdout + result.stderr, 'require_gpu: "gpu-check": there is no such program in its PATH', "check")

# one that hangs has ready_timeout
run = Run(CONFIG + "ready_timeout = 400ms\n", where=None)
run.write("bin/gpu-check", f"#!/bin/sh\nexec {M} pid {run.dir}/work/pid ignore TERM forever\n", mode=0o755)
with run as init:
    init.wait()
    init.wait_line("model: failed: not ready within 400 ms")

# the real one
real = BUILD / "gpu-check"
if not real.exists():
    print("not looked at: the real gpu-check, as there is no nvcc here, or no g++ for it")
elif os.path.exists("/proc/driver/nvidia"):
    print("not looked at: the real gpu-check without a driver, as there is one")
else:
    with Init(config=CONFIG + user) as init:
        equal(init.wait(), 10, "exit code without a driver")
        init.wait_line(r"model: failed: require_gpu = 8.9: no NVIDIA driver \(exit code 10\)")
        contains(init.stdout + init.stderr, "no NVIDIA driver: CUDA driver version is insufficient", "its own words")
