# SPDX-License-Identifier: MIT
"""A listener on a unix socket: ready when it can be connected to."""

import os
import socket

from shared import DATA, say, stop_on_term


def main():
    stop_on_term()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(DATA, "events.sock"))
        listener.listen()
        say("listening")
        while True:
            connection, _ = listener.accept()
            connection.close()


main()
