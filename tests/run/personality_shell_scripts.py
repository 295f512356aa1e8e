#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Under another init's name a script that names no interpreter is run by /bin/sh, as it was before; under its own
name muster-init says that it cannot be run."""
from lib import Init, called, contains, equal

for name in ("tini", "dumb-init", "catatonit"):
    for program, env in (("{dir}/bin/script", {}), ("script", {"PATH": "/nowhere:{dir}/bin:/usr/bin:/bin"})):
        init = Init("--", program, "one", "two words", program=called(name))
        init.env.update({key: init.fill(value) for key, value in env.items()})
        init.write("bin/script", 'echo "$0|$#|$1|$2"\nexit 3\n', 0o755)
        with init:
            equal(init.wait(), 3, f"{name} {program}: exit code")
            equal(init.stdout, init.fill("{dir}/bin/script|2|one|two words\n"), f"{name} {program}: output")

init = Init("--", "{dir}/script")
init.write("script", "exit 3\n", 0o755)
with init:
    equal(init.wait(), 126, "muster-init: exit code")
    contains(init.stderr, "Exec format error", "muster-init: stderr")
