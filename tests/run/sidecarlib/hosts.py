# SPDX-License-Identifier: MIT
"""Two hosts: network namespaces with a cable between them, 10.77.0.1 and 10.77.0.2."""

import contextlib
import subprocess
import sys

from lib import skip


def run(*words, **options):
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True, **options)


@contextlib.contextmanager
def two_hosts(script, directory):
    """The words that run something on each host; this process is on mainpc already. What the other one is
    else, `script --host DIRECTORY` says, which prints ready and goes when its input ends."""
    words = ["unshare", "--net", "--mount", sys.executable, script, "--host", str(directory)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            if not other.stdout.readline().startswith("ready"):
                skip("a second network namespace is not permitted here")
            inside = ["nsenter", "-t", str(other.pid), "--net", "--mount", "--"]
            made = subprocess.run(["ip", "link", "add", "muster1", "type", "veth", "peer", "name", "muster2", "netns",
                                   str(other.pid)], capture_output=True, text=True, check=False)
            if made.returncode:
                skip(f"no pair of network devices can be made here: {made.stderr.strip()}")
            for prefix, number in (([], "1"), (inside, "2")):
                device = f"muster{number}"
                run(*prefix, "ip", "address", "add", f"10.77.0.{number}/24", "dev", device)
                run(*prefix, "ip", "address", "add", f"fd77::{number}/64", "dev", device, "nodad")
                run(*prefix, "ip", "link", "set", device, "up")
            yield {"mainpc": [], "pc2": inside}
        finally:
            other.stdin.close()
            subprocess.run(["ip", "link", "del", "muster1"], capture_output=True, check=False)
