# SPDX-License-Identifier: MIT
"""A program that cannot be executed is named with its whole path and the reason, in the log and in the status."""
import os
import shutil
import subprocess

from lib import IS_ROOT, Init, contains, equal, tool

CASES = {
    "missing": "No such file or directory",
    "directory": "Permission denied",
    "plain": "Permission denied",
    "badshebang": "its interpreter or loader: No such file or directory",
    "noformat": "Exec format error",
    "foreign": "Exec format error",
    "busy": "Text file busy",
    "noexec/program": "Permission denied",
}
DEEP = "a-directory-with-a-long-name/and-one-below"  # too long for the status
CONFIG = "".join(f"""
[service:{name.partition('/')[0]}]
command = {{dir}}/{DEEP}/{name}
restart = no
essential = no
""" for name in CASES) + f"""
[service:good]
command = {tool("misbehave")} forever
"""

run = Init(config=CONFIG)
home = run.dir / DEEP
(home / "directory").mkdir(parents=True)
(home / "noexec").mkdir()
run.write(f"{DEEP}/plain", "#!/bin/sh\n", 0o644)
run.write(f"{DEEP}/noformat", "echo this is no program of any known format\n", 0o755)
run.write(f"{DEEP}/badshebang", "#!/no/such/interpreter\n", 0o755)
# an ELF file as another machine has it: this program's own, for the 8-bit AVR
elf = bytearray(open(tool("misbehave"), "rb").read(4096))
elf[18:20] = (83).to_bytes(2, "little")
(home / "foreign").write_bytes(elf)
(home / "foreign").chmod(0o755)
shutil.copy(tool("misbehave"), home / "busy")
busy = os.open(home / "busy", os.O_WRONLY)
mounted = IS_ROOT and subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", home / "noexec"],
                                     capture_output=True, check=False).returncode == 0
shutil.copy(tool("misbehave"), home / "noexec" / "program")
if not mounted:
    (home / "noexec" / "program").chmod(0o644)
try:
    with run as init:
        for name, reason in CASES.items():
            service = name.partition("/")[0]
            path = init.path(f"{DEEP}/{name}")
            init.wait_line(f"{service}: cannot start {path}: {reason}$")
            if service == "busy":  # it may be written only for a moment
                os.close(busy)
                init.wait_state("busy", "completed", "failed")
                continue
            state = init.wait_state(service, "failed")
            contains(state["reason"], f"cannot start {os.path.basename(name)}: ", "reason in the status")
            equal(state["last_exit"], 127 if "No such" in reason else 126, f"code of {service}")
        equal(init.services()["good"]["state"], "running", "the others")
finally:
    if mounted:
        subprocess.run(["umount", "-l", home / "noexec"], check=False)
