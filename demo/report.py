# SPDX-License-Identifier: MIT
"""Says that it is ready with a newline on descriptor 3, as services for s6 do."""

import os
import threading

from shared import Redis, say, stop_on_term


def main():
    stop_on_term()
    say(f"{Redis()('GET', 'demo:ticks')} ticks so far")
    os.write(3, b"\n")
    os.close(3)
    threading.Event().wait()


main()
