# SPDX-License-Identifier: MIT
"""What a start-up teaches is kept in the runtime directory and in state_dir, and the next start begins
with the chain that really takes longer. A file that cannot be used is named and does no harm."""

import os
import pathlib
import re
import tempfile

from lib import IS_ROOT, Init, contains, equal, matches, tool, until

M = tool("misbehave")


def service(name, ms, needs=""):
    return f"""
[service:{name}]
command = {M} append {{dir}}/order {name} sleep {ms} notify READY=1 forever
readiness_probe = notify
depends_on = {needs}
"""


# by the number of services quick1 > quick2 has the longer way to go, by time slow > end has
def config(state, slow):
    return f"[muster]\nstart_parallel = 1\nstate_dir = {state}\n" + "".join([
        service("quick1", 1), service("quick2", 1, "quick1"), service("quick3", 1, "quick2"),
        service("slow", slow), service("end", 1, "slow")])


def start(state, slow=1, before=None):
    """The order of one start, what init said, and the file in its runtime directory."""
    with Init(config=config(state, slow)) as init:
        init.wait_line("all ready after|start-up is over")
        if before:
            before(init)
        else:  # its writer is a process of its own
            until(lambda: content(state) == init.read("run/durations") != "", "the same in both places")
        equal(init.ctl("shutdown").returncode, 0, "shutdown")
        equal(init.wait(), 0, "exit code")
        return init.read("order").split(), init.stderr, init.read("run/durations")


def content(state):
    file = state / "durations"
    try:
        return file.read_text(errors="replace") if file.is_file() else ""  # a FIFO would be waited for
    except OSError:
        return ""


def lines(text):
    return {words[0]: words[1:] for words in (line.split() for line in text.splitlines()[1:])}


def learns(state):
    order, said, own = start(state, 6000)
    equal(order[0], "quick1", "first of the first start")
    equal("durations" in said, False, said)
    matches(own, r"\Amuster-durations 1 \d+\n(\w+ \d+\n){5}\Z", "the file")
    assert int(lines(own)["slow"][0]) >= 6000, own

    before = lines(own)
    order, said, own = start(state)
    equal(order[0], "slow", "first of the second start")
    equal(lines(own)["slow"][1:], before["slow"] + ["-"] * 3, "two runs")
    equal(sorted(os.listdir(state)), ["durations"], "nothing else is left there")


def ignores(state, wrong):
    file = state / "durations"
    file.write_bytes(wrong)
    order, said, _ = start(state)
    equal(order[0], "quick1", f"first with {wrong[:40]!r}")
    equal(len(re.findall("durations: (not a file of durations|cannot be read: File too large); ignored", said)), 1, said)
    matches(file.read_text(), r"\Amuster-durations 1 \d+\n", "written anew")


def knows(state, known):
    (state / "durations").write_text("muster-durations 1 7\n" + known)
    return start(state)


def main():
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        state = pathlib.Path(name) / "made"  # by init
        learns(state)
        for wrong in (b"", b"rubbish\n", b"muster-durations 2 1\n", b"muster-durations 1 x\n",
                      b"muster-durations 1 1\nslow 9000", b"muster-durations 1 1\nslow 9000 - - - - -\n",
                      b"muster-durations 1 1\nslow -5\n", b"muster-durations 1 1\n" + b"x" * 64 + b" 1\n",
                      b"muster-durations 1 1\nslow 9\0\n", b"\xff" * 5000000):
            ignores(state, wrong)
        # the median of what is known stands for what is not; a service that is gone is forgotten
        order, _, own = knows(state, "slow 9000 - 1 8000\nquick1 10 10\ngone 3\n")
        equal(order[0], "slow", "first of all")
        equal(lines(own)["slow"][1:], ["9000", "-", "1", "8000"], "the runs before")
        equal("gone" in own, False, own)
        # by a median of three runs one that was slow once is not slow
        order, _, _ = knows(state, "slow 1 9000 1\nquick1 10 10\nquick2 10\nquick3 10\nend 1\n")
        equal(order[0], "quick1", "first of all")

        broken = pathlib.Path(name) / "file"
        broken.write_text("")
        _, said, own = start(broken, before=lambda init: init.wait_line("durations cannot be written"))
        contains(said, f"state_dir: {broken}: durations cannot be written: Not a directory", "what is said")
        matches(own, r"\Amuster-durations 1 ", "in the runtime directory")
        os.mkfifo(state / "fifo")
        (state / "durations").unlink()
        (state / "fifo").rename(state / "durations")
        _, said, _ = start(state)
        contains(said, "durations: cannot be read", "of a FIFO")
        if not IS_ROOT:
            state.chmod(0o555)
            start(state, before=lambda init: init.wait_line("durations cannot be written: Permission denied"))
            state.chmod(0o755)


main()
