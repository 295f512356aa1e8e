# SPDX-License-Identifier: MIT
"""All programs are full RELRO, position-independent, with a stack protector and fortified calls, without an
executable stack, a segment to write and to execute, a run path or relocations of code; every object of theirs
is marked for IBT and SHSTK (x86-64) or BTI and PAC (arm64). And what checks that sees each of them missing."""
import pathlib
import subprocess
import tempfile

from lib import BUILD, ROOT, check, contains, equal, skip

CHECK = ROOT / "scripts/check-hardening"
PROGRAMS = ("muster-init", "musterctl", "muster-sidecar", "static/muster-init", "static/musterctl")
HARD = ("-O2 -fPIE -pie -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -Wl,-z,now,-z,relro,-z,noexecstack "
        "-Wl,-z,separate-code").split()
# not static: with libc as a library it shows its calls
SOURCE = """
#include <stdio.h>
#ifdef BOTH
__asm__(".pushsection .both, \\"awx\\"; .byte 0; .popsection");
#endif
int main(int argc, char **argv)
{
	char text[16];
	return argv[0] == fgets(text, argc, stdin);
}
"""
# what is left out or put in, and the complaint
LOST = [
    ("-no-pie", "is not position-independent"),
    ("-Wl,-z,lazy", "is not full RELRO"),
    ("-Wl,-z,norelro", "is not full RELRO"),
    ("-Wl,-z,execstack", "executable stack"),
    ("-Wl,-rpath,/nowhere", "run path"),
    ("-fno-stack-protector", "no stack protector"),
    ("-U_FORTIFY_SOURCE", "no fortified calls"),
    ("-DBOTH", "to write and to execute"),
]


def judge(*arguments):
    result = subprocess.run([CHECK, *arguments], text=True, capture_output=True, timeout=60, check=False)
    return result.returncode, result.stderr


def compile_with(folder, *flags):
    (folder / "sample.c").write_text(SOURCE)
    subprocess.run(["cc", *HARD, *flags, "-o", folder / "sample", folder / "sample.c"], check=True, timeout=60)
    return folder / "sample"


missing = [name for name in PROGRAMS if not (BUILD / name).exists()]
if missing:
    skip(f"not built: {' '.join(missing)}")
for objects in (sorted((BUILD / "obj").glob(f"{part}/**/*.o")) for part in ("common", "init", "sidecar")):
    check(objects, "objects lie beside the programs")
    equal(judge("--objects", *objects), (0, ""), "the objects' hardening")
equal(judge(*(BUILD / name for name in PROGRAMS)), (0, ""), "the programs' hardening")

with tempfile.TemporaryDirectory(prefix="muster-hard-") as temporary:
    sample = pathlib.Path(temporary)
    equal(judge(compile_with(sample)), (0, ""), "what is said of a program that has all")
    for flag, complaint in LOST:
        code, said = judge(compile_with(sample, flag))
        equal(code, 1, f"exit code for a program made with {flag}")
        contains(said, complaint, f"what is said of a program made with {flag}")
    plain = sample / "plain.o"
    subprocess.run(["cc", "-O2", "-fcf-protection=none" if "x86" in subprocess.check_output(["cc", "-dumpmachine"], text=True)
                    else "-mbranch-protection=none", "-c", "-o", plain, sample / "sample.c"], check=True, timeout=60)
    contains(judge("--objects", plain)[1], "is not marked", "what is said of an object without marks")
