# SPDX-License-Identifier: MIT
"""client.py KUBECTL...: asks all that a Service leads to, in turn, without a pause, until its standard input ends.

The words are those of a `kubectl get endpoints NAME --watch -o json`. Each request has a connection of its own, as
most proxies make them. Prints JSON: requests, failures (what was said, at most ten of them), failed, addresses.
"""

import http.client
import json
import select
import subprocess
import sys
import threading

PORT = 8080


class Addresses:
    """Those that were said last."""

    def __init__(self, command):
        self.now, self.seen = [], set()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        decoder, text = json.JSONDecoder(), ""
        for line in self.process.stdout:
            text += line
            if line != "}\n":
                continue
            found, _ = decoder.raw_decode(text)
            text = ""
            self.now = [each["ip"] for subset in found.get("subsets") or [] for each in subset.get("addresses") or []]
            self.seen |= set(self.now)


def ask(address):
    """What went wrong, or None."""
    connection = http.client.HTTPConnection(address, PORT, timeout=10)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read()
        return None if (answer.status, body) == (200, b"ready\n") else f"{address}: {answer.status} {body[:40]!r}"
    except (OSError, http.client.HTTPException) as error:
        return f"{address}: {type(error).__name__} {error}"
    finally:
        connection.close()


def main():
    addresses = Addresses(sys.argv[1:])
    requests, failures = 0, []
    while not select.select([sys.stdin], [], [], 0.002)[0]:
        targets = addresses.now
        if targets:
            failures += filter(None, [ask(targets[requests % len(targets)])])
            requests += 1
    addresses.process.terminate()
    addresses.process.wait()
    print(json.dumps({"requests": requests, "failures": failures[:10], "failed": len(failures),
                      "addresses": len(addresses.seen)}))


main()
