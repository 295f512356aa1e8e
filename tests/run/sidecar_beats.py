# SPDX-License-Identifier: MIT
"""The sidecar is heard from as soon as it runs and then at least every ten seconds, also when nothing
happens; odd messages do not disturb it."""

from lib import check, equal
from sidecarlib import Page, Sidecar, now


def main():
    with Sidecar() as sidecar:
        Page(sidecar.run_dir, [{"name": "web"}])
        equal(sidecar.message(), {"type": "beat"}, "first message")
        heard = now()
        for odd in (b"x", b"\0" * 4, b"\xff" * 16, b"\1\0\0\0" + b"x" * 100, b"\2\0\0\0" + b"\xff" * 8,
                    b"\1\0\0\0" + b"\xff" * 1064):
            sidecar.link.send(odd)
        message = sidecar.message(seconds=30)
        while message["type"] != "beat":  # of the watch that was all ones
            message = sidecar.message(seconds=30)
            if message["type"] == "result":
                heard = now()
        check(now() - heard < 15 * 10**9,  # 5 s for a busy machine
              f"silent for {(now() - heard) / 1e9:.1f} s")
        sidecar.alive()


main()
