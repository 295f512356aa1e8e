# SPDX-License-Identifier: MIT
"""Builds an index and is ready when the file is there, whole."""

import hashlib
import os
import threading

from shared import DATA, say, stop_on_term

ENTRIES = 20000


def main():
    stop_on_term()
    target = os.path.join(DATA, "index")
    with open(target + ".new", "w", encoding="ascii") as file:
        for number in range(ENTRIES):
            file.write(hashlib.sha256(str(number).encode()).hexdigest() + "\n")
    os.rename(target + ".new", target)
    say(f"{ENTRIES} entries")
    threading.Event().wait()


main()
