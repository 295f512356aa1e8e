# SPDX-License-Identifier: MIT
"""A stand-in for NVIDIA's devel images: Debian, a compiler, and what nvcc needs of this machine's CUDA toolkit."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

STAND_IN = "muster-test-cuda-devel"
DOCKERFILE = """FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ libc6-dev && rm -rf /var/lib/apt/lists/*
COPY cuda /usr/local/cuda
ENV PATH=/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
"""
# In the place of nvcc where there is none: what it makes is no gpu-check, but an image can be built of it.
NO_NVCC = r"""#!/bin/sh
[ "$1" != --version ] || { echo "Cuda compilation tools, release 0.0, V0.0.0"; exit; }
while [ "$1" != -o ]; do shift; done
echo 'int main(void) { return 10; }' | gcc -x c -o "$2" -
"""
BUILD_SECONDS = 600


def toolkit():
    """Its folder, or None."""
    nvcc = shutil.which("nvcc")
    # nvcc in PATH may be a script that calls the real one, which knows where it is
    said = nvcc and subprocess.run([nvcc, "--dryrun", "-c", "x.cu"], capture_output=True, text=True, check=False).stderr
    top = re.search(r"TOP=(.+)", said or "")
    folders = [os.environ.get("CUDA_HOME"), "/usr/local/cuda", top and top[1]]
    return next((pathlib.Path(folder) for folder in folders if folder and (pathlib.Path(folder) / "bin/nvcc").exists()),
                None)


def copy_toolkit(cuda, target):
    """Without the libraries that are for other programs than ours: they are many times the rest."""
    for name in ("bin", "nvvm", "include"):
        shutil.copytree(cuda / name, target / name)
    (target / "lib").mkdir()
    (target / "lib64").symlink_to("lib")
    for path in (*cuda.glob("lib64/libcudart*"), *cuda.glob("lib64/libcudadevrt.a")):
        shutil.copy(path, target / "lib", follow_symlinks=False)
    for folder in cuda.glob("targets/*-linux"):
        (target / "targets" / folder.name).mkdir(parents=True)
        for name in ("include", "lib"):
            (target / "targets" / folder.name / name).symlink_to(f"../../{name}")


def make_stand_in(engine):
    """The image STAND_IN; whether it can compile CUDA."""
    cuda = toolkit()
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name)
        (folder / "Dockerfile").write_text(DOCKERFILE)
        if cuda:
            copy_toolkit(cuda, folder / "cuda")
        else:
            (folder / "cuda/bin").mkdir(parents=True)
            (folder / "cuda/bin/nvcc").write_text(NO_NVCC)
            (folder / "cuda/bin/nvcc").chmod(0o755)
        engine.do("build", *engine.build_options, "--tag", STAND_IN, folder, seconds=BUILD_SECONDS)
    return cuda is not None
