# SPDX-License-Identifier: MIT
"""dig, kdig and dnsperf get from the name server what they ask for, over UDP and TCP, many at once."""

import pathlib
import re
import subprocess
import tempfile

from lib import check, contains, equal, free_port, need
from sidecarlib import Sidecar

CONFIG = """
[muster]
mode = testing
[sidecar]
dns = 127.0.0.1:{port}
dns_upstream = no
[address:redis]
port = 6379
testing = 127.0.0.9
[address:six]
port = 80
testing = [2001:db8::1]
"""


def run(*words):
    result = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    check(result.returncode == 0, f"{words}: {result.stdout}{result.stderr}")
    return result.stdout


def dig(port):
    base = ["dig", "@127.0.0.1", "-p", str(port), "+time=10"]
    for more in ([], ["+tcp"], ["+noedns"], ["+cookie"], ["+bufsize=512"], ["+subnet=10.0.0.0/8"], ["+dnssec"]):
        said = run(*base, "redis.muster", "+norecurse", *more)
        contains(said, "status: NOERROR", f"{more}")
        check(re.search(r"redis\.muster\.\s+5\s+IN\s+A\s+127\.0\.0\.9", said), f"{more}: {said}")
        check("WARNING" not in said and "malformed" not in said.lower(), said)
    equal(run(*base, "+short", "_6379._tcp.redis", "SRV"), "0 0 6379 redis.\n", "SRV")
    contains(run(*base, "redis", "AAAA"), "ANSWER: 0, AUTHORITY: 1", "NODATA")
    contains(run(*base, "no.muster"), "status: NXDOMAIN", "NXDOMAIN")
    contains(run(*base, "+edns=1", "+noednsneg", "redis"), "status: BADVERS", "EDNS 1")
    contains(run(*base, "example.com"), "status: REFUSED", "refused")


def kdig(port):
    base = ["kdig", "@127.0.0.1", "-p", str(port), "+timeout=10"]
    equal(run(*base, "+short", "six", "AAAA"), "2001:db8::1\n", "kdig")
    equal(run(*base, "+short", "+tcp", "+keepopen", "redis", "A", "six", "AAAA").split(), ["127.0.0.9", "2001:db8::1"],
          "two over one connection")
    contains(run(*base, "no.muster"), "NXDOMAIN", "kdig")


def dnsperf(port, directory):
    queries = pathlib.Path(directory, "queries")
    queries.write_text("redis A\nsix.muster AAAA\nredis AAAA\nno.muster A\n")
    for mode in ("udp", "tcp"):
        said = run("dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(queries), "-n", "2500", "-c", "8", "-m", mode,
                   "-t", "20")
        equal(re.search(r"Queries completed:\s+(\d+)", said).group(1), "10000", f"{mode}: {said}")
        contains(said, "NOERROR 7500 (75.00%), NXDOMAIN 2500 (25.00%)", mode)


def main():
    for program in ("dig", "kdig", "dnsperf"):
        need(program)
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "muster.ini")
        path.write_text(CONFIG.format(port=port))
        with Sidecar("-c", path, linked=False):
            dig(port)
            kdig(port)
            dnsperf(port, directory)


main()
