# SPDX-License-Identifier: MIT
"""System calls of a running process that fail, by strace."""
import os
import re
import subprocess
import time

from lib import need

STRACE = need("strace")


class Fault:
    """strace beside an init of lib, in a `with`: the call fails until its end. `when` as strace has it."""

    def __init__(self, init, call=None, error=None, when="1+"):
        self.path = init.path("trace")
        self.text = ""
        words = [STRACE, "-o", self.path, "-p", str(init.pid)]
        if call:
            # brk tells its failure by what it returns
            how = "retval=0" if call == "brk" else f"error={error}"
            words += ["-e", f"trace={call}", "-e", f"inject={call}:{how}:when={when}"]
        self.begin = time.monotonic()
        self.tracer = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.tracer.stderr.readline()  # that it is attached: from here on no call goes unseen; or why it is not

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tracer.terminate()
        self.tracer.wait()
        self.tracer.stderr.close()
        self.read()
        os.unlink(self.path)

    def read(self):
        """What was traced so far."""
        with open(self.path, errors="replace") as file:
            self.text = file.read()
        return self.text

    def hits(self):
        return self.text.count("(INJECTED)")

    def rate(self):
        """Failures a second."""
        return self.hits() / (time.monotonic() - self.begin)

    def crashed(self):
        return re.search(r"--- SIG(SEGV|ABRT|BUS|ILL|FPE|SYS)", self.text)
