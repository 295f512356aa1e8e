# SPDX-License-Identifier: MIT
"""GET /WORD asks the model and the worker about WORD: `WORD drow`."""

import os
import urllib.request

from shared import Redis, Server, stop_on_term

MODEL = f"http://127.0.0.1:{os.environ['DEMO_MODEL_PORT']}"
PATIENCE_SECONDS = 5


def ask_model(word):
    with urllib.request.urlopen(f"{MODEL}/{word}", timeout=PATIENCE_SECONDS) as reply:
        return reply.read().decode().strip()


def ask_worker(word):
    redis = Redis()
    redis("RPUSH", "demo:jobs", word)
    result = redis("BLPOP", f"demo:result:{word}", PATIENCE_SECONDS)
    return result[1] if result else "?"


def answer(path):
    word = path.strip("/")
    try:
        if word == "health":
            return 200, Redis()("PING")
        return 200, f"{ask_model(word)} {ask_worker(word)}"
    except OSError as error:
        return 502, str(error)


stop_on_term()
Server(int(os.environ["DEMO_API_PORT"]), answer).serve_forever()
