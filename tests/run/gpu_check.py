# SPDX-License-Identifier: MIT
"""gpu-check, with CUDA's runtime as a fake and with the real one without a driver: what it looks at, says, and exits with."""
import json
import os
import pathlib
import re
import signal
import subprocess

from lib import BUILD, ROOT, check, contains, equal, skip, tool, until

if not (BUILD / "gpu-check").exists():
    skip("gpu-check is not built: there is no nvcc here, or no g++ for it")
FAKE = tool("gpu-check-fake")
CODES = {int(code): text for text, code in
         re.findall(r"GPU_(\w+) = (\d+)", (ROOT / "common/gpu_codes.h").read_text())}


def run(*options, gpus="", driver=13000, program=FAKE, **more):
    env = {"FAKE_CUDA_DRIVER": str(driver), "FAKE_CUDA_GPUS": gpus}
    return subprocess.run([program, *options], env=env, capture_output=True, text=True, check=False, **more)


def expect(code, text, *options, **given):
    """The exit code, its meaning and the words; then the same as JSON."""
    result = run(*options, **given)
    equal((result.returncode, CODES[result.returncode]), (code, CODES[code]), f"exit code of {options} with {given}")
    contains(result.stdout, text, "what it says")
    said = run(*options, "--json", **given)
    equal(said.returncode, code, "exit code with --json")
    answer = json.loads(said.stdout)
    equal(answer["code"], code, "code in JSON")
    return answer


# one that computes
found = expect(0, 'GPU 0 (Fake "0", compute capability 8.9): ok; 20000 of 40000 MiB free; CUDA 1', gpus="8.9/20000")
gpu = found["gpus"][0]
equal((gpu["name"], gpu["uuid"], gpu["compute_capability"], gpu["memory_free_bytes"], gpu["memory_total_bytes"]),
      ('Fake "0"', "GPU-a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0", "8.9", 20000 << 20, 40000 << 20), "the GPU in JSON")
equal((found["driver_cuda_version"], found["compiled_for"]), ("13.0", "8.6"), "versions in JSON")

# none of it, or not what is asked for
expect(10, "no NVIDIA driver: fake error 35", driver=0)
expect(11, "no GPU: fake error 100")
expect(11, "no GPU of number 3", "--device", "3", gpus="8.9/1 8.9/1")
expect(12, "the NVIDIA driver is too old: it is for CUDA 9.2, this program needs 1",
       driver=9020, gpus="8.9/1")
expect(14, "not compiled for this GPU, only for 8.6: fake error 209", gpus="12.0/9/arch")
expect(15, "not enough GPU memory is free: fake error 2", gpus="8.9/9/memory")
expect(15, "not enough GPU memory is free; 1023 of 2046 MiB free", "--min-memory", "1G", gpus="8.9/1023")
expect(0, ": ok", "--min-memory", "1G", gpus="8.9/1024")
expect(16, "the GPU computes wrong results", gpus="8.9/9/wrong")
expect(70, "the GPU or its driver failed: fake error 719", gpus="8.9/9/launch")
expect(70, "the GPU or its driver failed: Segmentation fault", gpus="8.9/9/crash")
expect(17, "the GPU did not answer in time", "--timeout", "100ms", gpus="8.9/9/hang")

# a program that is compiled for X.Y runs on X.Y and what is newer with the same X
for required, gpus, code in (("8.9", "8.9/9", 0), ("8.6", "8.9/9", 0), ("8.9", "8.6/9", 13), ("8.9", "9.0/9", 13),
                             ("9.0", "8.9/9", 13), ("any", "7.5/9", 0), ("8.9", "8.6/9 9.0/9 8.9/9", 0)):
    expect(code, "", "--require", required, gpus=gpus)

# the first that is good is enough; all of them; one of them; of failures the one that came furthest
several = "8.6/9 8.9/9 8.9/9/wrong"
answer = expect(0, "GPU 1", "--require", "8.9", gpus=several)
equal([gpu["code"] for gpu in answer["gpus"]], [13, 0], "no more are looked at than needed")
answer = expect(16, "GPU 2", "--all", gpus=several)
equal([gpu["code"] for gpu in answer["gpus"]], [0, 0, 16], "all are looked at")
answer = expect(16, "GPU 2", "--device", "2", gpus=several)
equal([gpu["index"] for gpu in answer["gpus"]], [2], "one is looked at")
expect(15, "", "--require", "8.9", gpus="8.6/9 8.9/9/memory 9.0/9")

# wrong use
for options in (["--require", "sm_89"], ["--require", "8"], ["--require", "8.9x"], ["--min-memory", "1.5G"],
                ["--min-memory", "18014398509481984G"], ["--device", "-1"], ["--device", "64"], ["--timeout", "5"],
                ["--timeout", "0s"], ["--all", "--device", "0"], ["more"], ["--nothing"]):
    result = run(*options, gpus="8.9/9")
    equal((result.returncode, result.stdout), (2, ""), f"exit code and output of {options}")
    check(result.stderr.startswith(("gpu-check: ", FAKE)) and options[0] in result.stderr, f"message: {result.stderr!r}")

# --help, the header and the manual name the same codes
text = run("--help").stdout
equal({int(code) for code in re.findall(r"^ +(\d+)  \S", text, re.M)}, set(CODES), "codes in --help")
manual = (ROOT / "docs/gpu-check.1").read_text()
equal({int(code) for code in re.findall(r"^\.It (\d+)$", manual, re.M)}, set(CODES), "codes in gpu-check(1)")
equal(set(re.findall(r"^\.It Fl \w , Fl -([\w-]+)", manual, re.M)), set(re.findall(r"--([\w-]+)", text)),
      "options in gpu-check(1)")

# whoever waits ends: what asks the driver ends with it
waiting = subprocess.Popen([FAKE], env={"FAKE_CUDA_DRIVER": "13000", "FAKE_CUDA_GPUS": "8.9/9/hang"})
children = pathlib.Path(f"/proc/{waiting.pid}/task/{waiting.pid}/children")
asker = int(until(lambda: children.read_text().split(), "the process that asks")[0])
waiting.send_signal(signal.SIGTERM)
equal(waiting.wait(), -signal.SIGTERM, "how it ends when told to")
until(lambda: not pathlib.Path(f"/proc/{asker}").exists(), "the process that asks has ended")

# the real one: needs no library but libc, and tells that there is no driver
real = BUILD / "gpu-check"
needed = subprocess.run(["objdump", "-p", real], capture_output=True, text=True, check=True).stdout
equal(set(re.findall(r"NEEDED +(\S+?)\.so", needed)) - {"ld-linux-x86-64", "ld-linux-aarch64"}, {"libc"}, "libraries")
if os.path.exists("/proc/driver/nvidia"):
    print("not looked at: what it says without a driver, as there is one")
else:
    result = run(program=real)
    equal(result.returncode, 10, "exit code without a driver")
    contains(result.stdout, "no NVIDIA driver: ", "what it says without a driver")
