# SPDX-License-Identifier: MIT
"""The layout is the one that people are told of; PID 1 is linked with libc, libcap, libseccomp and inih at the most, no
program with NVML; what the tests' runner says at the end is their number."""
import re
import subprocess
import sys

from lib import BUILD, ROOT, check, equal, need

LAYOUT = """Makefile README.md LICENSE CHANGELOG.md common docs init init/ctl sidecar dockerfiles compose k8s tests tests/bench
tests/fuzz docs/muster-init.8 docs/muster-sidecar.8 docs/musterctl.1 docs/muster.ini.5""".split()
equal([name for name in LAYOUT if not (ROOT / name).exists()], [], "what is not where it should be")
check("MIT License" in (ROOT / "LICENSE").read_text(), "LICENSE is not MIT")


def libraries(program):
    text = subprocess.run([need("readelf"), "-d", BUILD / program], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(?:lib)?([a-z-]+)", text)) - {"ld-linux-x", "ld-linux-aarch"}


check("c" in libraries("muster-init"), "readelf shows no libraries")
equal(libraries("muster-init") - {"c", "cap", "seccomp", "inih"}, set(), "what muster-init is linked with besides")
equal({name for name in libraries("muster-sidecar") if "nvidia" in name or "cuda" in name}, set(), "NVML in the sidecar")


def run_tests(*names):
    result = subprocess.run([sys.executable, ROOT / "tests/run.py", *names], capture_output=True, text=True, check=False,
                            timeout=100)
    return result.returncode, result.stdout.splitlines()[-1:]


code, last = run_tests("states_test")
equal((code, re.sub("[1-9][0-9]*", "N", last[0])), (0, "N passed, 0 failed, 0 skipped"), "exit code and last line of the runner")
equal(run_tests("no-such-test"), (1, ["0 passed, 0 failed, 0 skipped"]), "exit code and last line where there is no test")
