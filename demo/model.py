# SPDX-License-Identifier: MIT
"""Stands for a model server: listens at once, is healthy once its weights are loaded."""

import os
import threading
import time

from shared import Server, say, stop_on_term

LOAD_SECONDS = 1.5


def main():
    stop_on_term()
    loaded = threading.Event()

    def answer(path):
        if not loaded.is_set():
            return 503, "loading"
        return (200, "ok") if path == "/health" else (200, path.strip("/").upper())

    server = Server(int(os.environ["DEMO_MODEL_PORT"]), answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    time.sleep(LOAD_SECONDS)  # the slow start is what this service is for
    loaded.set()
    say(f"weights loaded in {LOAD_SECONDS} s")
    threading.Event().wait()


main()
