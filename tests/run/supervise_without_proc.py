# SPDX-License-Identifier: MIT
"""Without /proc services are supervised, ended and named in the last line, and stdout may stall, be it with a kernel
that knows no write without waiting."""
import os
import re
import signal

from lib import Init, check, equal, matches, need, need_root, proc_children, read_now, tool, until

need_root()
M = tool("misbehave")
LINES = 60000
BARE = ["unshare", "--mount", "sh", "-c", 'umount -l /proc; exec "$@"', "sh"]
CONFIG = f"""
[service:flood]
command = {M} await {{dir}}/go lines {LINES} pid {{dir}}/done forever
[service:stubborn]
command = {M} ignore TERM pid {{dir}}/stubborn forever
stop_grace_period = 100ms
"""


def floods(*prefix):
    reader, writer = os.pipe()
    with Init(config=CONFIG, stdout=writer, prefix=[*prefix, *BARE], pid1=not prefix) as init:
        os.close(writer)
        init.wait_file("stubborn")
        init.write("go", "")
        init.wait_file("done")
        equal(init.ctl("status").returncode, 0, "exit code of musterctl status")
        os.set_blocking(reader, False)
        text = b""

        def read_all():
            nonlocal text
            text += read_now(reader)
            said = sum(map(int, re.findall(rb"warning: (\d+) lines? of output dropped", text)))
            lines = re.findall(rb"^flood +\| line (\d+)$", text, re.M)
            return (said, lines) if said + len(lines) == LINES else None

        said, lines = until(read_all, lambda: f"all lines, seen or dropped: {text[-300:]}", 60)
        check(said, "some are dropped")
        equal(lines, sorted(lines, key=int), "order of lines")
        os.kill(proc_children(init.pid)[0] if prefix else init.pid, signal.SIGTERM)
        equal(init.wait(60), 0, "exit code")
        matches(init.stderr, r"process \d+ \(stubborn\)", "the last line")
        check("flood" not in init.stderr.splitlines()[-1], "flood ended by itself")
    os.close(reader)


floods()
# as with kernels before 5.6 or so: only poll tells whether there is room
floods(need("strace"), "-f", "-q", "-o", "/dev/null", "-e", "trace=pwritev2", "-e", "inject=pwritev2:error=EOPNOTSUPP")
