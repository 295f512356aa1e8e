# SPDX-License-Identifier: MIT
"""The images for CUDA, from a stand-in for NVIDIA's devel image: small, without a compiler, not root, on a read-only root,
with gpu-check for the GPUs of each; without a driver, require_gpu says so."""
import json
import pathlib
import re
import tempfile

from imagelib import TOOL, build_images, check_clean, engines
from imagelib.cuda import STAND_IN, make_stand_in

from lib import ROOT, check, contains, equal, proc_status, until
from readmelib import blocks

USER = "10001"
ARCHS = {"muster-cuda": "86 89 90", "muster-cuda:mainpc": "89", "muster-cuda:pc2": "86"}
HARDENED = ["--read-only", "--tmpfs", "/run/muster:rw,noexec,nosuid,size=4m", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--pids-limit", "64", "--memory", "128m"]
OWN = {"docker": ["--health-interval", "1s"],
       "podman": ["--no-healthcheck", "--read-only-tmpfs=false"]}  # else it makes /run anew, for root alone
CONFIG = f"""
[service:web]
command = {TOOL} on TERM [ exit 0 ] http 8000 /nothing forever
readiness_probe = http://:8000/health
"""
MODEL = f"""
[service:model]
command = {TOOL} forever
require_gpu = 8.9
start_retries = 1
"""


def check_sizes(sizes, compiled):
    single = sizes["muster-cuda:single"]["bytes"]
    for image in ARCHS:
        size = sizes[image]["bytes"]
        print(f"{image}: {size} bytes, {100 * size / single:.1f} % of what one stage makes ({single})")
        if compiled:
            check(size <= 0.16 * single, f"{image} has {size} bytes of {single}")
    if compiled:
        check(sizes["muster-cuda:mainpc"]["gpu-check"] < sizes["muster-cuda"]["gpu-check"], f"one architecture: {sizes}")


def check_settings(engine, image):
    config = json.loads(engine.do("inspect", "--type", "image", image))[0]["Config"]
    equal((config["User"], config["StopSignal"], config["Entrypoint"]),
          (f"{USER}:{USER}", "SIGTERM", ["muster-init"]), "user, stop signal and entry point")
    equal(config["Healthcheck"]["Test"], ["CMD", "musterctl", "health"], "health check")
    check({"NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"} <= set(config["Env"]),
          f"what NVIDIA's runtime looks for: {config['Env']}")
    labels = config["Labels"]
    version = re.search(r'MUSTER_VERSION "(.*)"', (ROOT / "common/version.h").read_text())[1]
    for name, value in (("title", "muster-cuda"), ("version", version), ("licenses", "MIT"),
                        ("base.name", "debian:bookworm-slim")):
        equal(labels[f"org.opencontainers.image.{name}"], value, f"label {name}")
    equal(labels["muster.cuda.archs"], ARCHS[image], "architectures")
    parts = json.loads(engine.do("run", "--rm", "--entrypoint", "cat", image, labels["muster.sbom"]))["components"]
    names = {part["name"]: part["version"] for part in parts}
    check({"muster", "libc6", "libinih", "musl-dev", "cuda-cudart"} <= set(names), f"parts of the image: {names}")
    check(re.fullmatch(r"\d+\.\d+\.\d+", names["cuda-cudart"]), f"version of CUDA's runtime: {names['cuda-cudart']}")


def check_gpu_check(engine, image):
    """As the image's user, on a read-only root, without a driver."""
    result = engine.run("run", "--rm", *HARDENED, image, "--", "gpu-check", "--json")
    equal(result.returncode, 10, f"exit code of gpu-check: {result.stderr}")
    answer = json.loads(result.stdout)
    equal(answer["verdict"], "no NVIDIA driver", "verdict")
    equal(answer["compiled_for"], re.sub(r"(\d)\b", r".\1", ARCHS[image]), "what it is compiled for")


def healthy(container):
    """As the engine sees it, where it looks by itself."""
    if container.engine.name == "docker":
        return container.inspect("State.Health.Status") == "healthy"
    return container.exec("musterctl", "health").returncode == 0


def lives(engine, image):
    with engine.container(*OWN[engine.name], *HARDENED, image, config=CONFIG) as container:
        container.wait_line("all ready after")
        for pid, command in container.processes():
            status = proc_status(pid)
            equal((set(status["Uid"].split()), int(status["CapEff"], 16)), ({USER}, 0), f"rights of {command}")
        until(lambda: healthy(container), "the engine sees its health", 60)
        equal(container.stop(10), 0, "exit code")
        contains(container.output, "none had to be killed", "last word")


def needs_a_gpu(engine, image):
    with engine.container(*OWN[engine.name], *HARDENED, image, config=CONFIG + MODEL) as container:
        equal(container.wait(), 10, "exit code of the container")
        contains(container.output, "model: failed: require_gpu = 8.9: no NVIDIA driver (exit code 10)", "why")
        contains(container.output, "none had to be killed", "last word")


def built_upon(engine):
    """As docs/images.md has it, but for the name of the devel image."""
    dockerfile, config = blocks("GPUs", ["FROM", "[service:model]"], "docs/images.md")
    text, changed = re.subn(r"nvidia/cuda:[\w.-]+-devel-[\w.-]+", STAND_IN, dockerfile)
    equal(changed, 1, "devel images in docs/images.md")
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        for file, content in (("Dockerfile", text), ("muster.ini", config), ("model.cu", "int main() { return 0; }\n")):
            (folder / file).write_text(content)
        engine.do("build", *engine.build_options, "--tag", "muster-test-model", folder, seconds=300)
    try:
        result = engine.run("run", "--rm", "muster-test-model")
        equal(result.returncode, 10, f"exit code: {result.stderr}")
        contains(result.stdout + result.stderr, "model: failed: require_gpu = 8.9: no NVIDIA driver", "why")
    finally:
        engine.run("rmi", "--force", "muster-test-model")


engine = engines()[0]
compiled = make_stand_in(engine)
check_sizes(build_images(engine, "cuda", CUDA_DEVEL=STAND_IN), compiled)
for image in ARCHS:
    check_settings(engine, image)
    check_clean(engine, image)
    lives(engine, image)
    if compiled:
        check_gpu_check(engine, image)
        needs_a_gpu(engine, image)
if compiled:
    built_upon(engine)
else:
    print("there is no nvcc here: the images hold a stub in place of gpu-check; only their shape was looked at")
