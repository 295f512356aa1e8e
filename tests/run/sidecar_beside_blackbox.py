# SPDX-License-Identifier: MIT
"""The same hostile targets asked by Prometheus's blackbox exporter: where its verdict is another one, it is
known why."""

import concurrent.futures
import json
import pathlib
import subprocess
import tempfile
import urllib.parse
import urllib.request

from lib import check, equal, free_port, need, until
from sidecarlib.hostile import Hostile

# it is at these for longer than its timeout, and so is not asked
ENDLESS = ("grpc never answers", "grpc never ends", "grpc endless header", "grpc asked of the silent")
DIFFERENT = {
    "304": "a status from 200 to 299 is wanted",
    "redirect without a place": "likewise",
    "endless body": "a body that is longer than it may be is a failure, not enough of it",
    "endless chunks": "likewise",
    "5001 header lines": "a header may have a mebibyte",
    "cookie": "cookies are kept",
    "NUL in a header": "it may be there",
}


def config(authority):
    patience = "8s"  # of one that answers late on a busy machine
    tls = {"tls_config": {"ca_file": authority}, "preferred_ip_protocol": "ip4"}
    return {"modules": {"http": {"prober": "http", "timeout": patience, "http": {"body_size_limit": "64KB", **tls}},
                        "grpc": {"prober": "grpc", "timeout": patience, "grpc": {"preferred_ip_protocol": "ip4"}},
                        "grpcs": {"prober": "grpc", "timeout": patience, "grpc": {"tls": True, **tls}},
                        "tcp": {"prober": "tcp", "timeout": patience, "tcp": {"preferred_ip_protocol": "ip4"}}}}


def ask(port, mode):
    scheme, _, rest = mode.url.partition("://")
    module = {"https": "http"}.get(scheme, scheme)
    target = mode.url if module == "http" else rest
    query = urllib.parse.urlencode({"module": module, "target": target})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/probe?{query}", timeout=60) as answer:
        return "\nprobe_success 1\n" in answer.read().decode()


def main():
    program = need("prometheus-blackbox-exporter")
    port = free_port()
    with Hostile() as hostile, tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "blackbox.yml"
        path.write_text(json.dumps(config(hostile.env["SSL_CERT_FILE"])))
        exporter = subprocess.Popen([program, f"--config.file={path}", f"--web.listen-address=127.0.0.1:{port}"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def serves():
                try:
                    return urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthy", timeout=10).status == 200
                except OSError:
                    check(exporter.poll() is None, "it has ended")
                    return False

            until(serves, "the exporter answers")
            modes = [mode for mode in hostile.modes
                     if not mode.name.startswith("metadata") and mode.name not in ENDLESS]
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                verdicts = list(pool.map(lambda mode: ask(port, mode), modes))
        finally:
            exporter.kill()
            exporter.wait()
    found = {mode.name for mode, ok in zip(modes, verdicts) if ok != (mode.reason == "")}
    equal(found, set(DIFFERENT), "modes with another verdict")
    print(f"{len(modes) - len(found)} of {len(modes)} verdicts are the same")


main()
