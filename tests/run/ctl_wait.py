# SPDX-License-Identifier: MIT
"""wait: 0 when it is so, 1 when it cannot become so, 3 for unknown names, 4 when time is over, 6 without init."""
import subprocess

from lib import CTL, Init, contains, equal, open_files, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:db]
command = {M} await {{dir}}/db ready-fd 5 forever
readiness_probe = fd:5
[service:api]
command = {M} forever
depends_on = db
[service:job]
type = oneshot
command = {M} await {{dir}}/job exit 0
depends_on = api
[service:extra]
command = {M} await {{dir}}/extra exit 4
readiness_probe = fd:5
restart = no
essential = no
"""


class Waiter:
    """musterctl wait in the background."""

    def __init__(self, init, *words):
        self.words = words
        self.process = subprocess.Popen([CTL, "wait", *words], env=init.env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def runs(self):
        return self.process.poll() is None

    def waits(self):
        """Whether it has turned to init."""
        return self.runs() and any("socket:" in file for file in open_files(self.process.pid).values())

    def ends(self, code):
        said = self.process.communicate(timeout=20)[1]
        equal(self.process.returncode, code, f"exit code of wait {self.words} ({said.strip()})")
        return said


with Init(config=CONFIG) as init:
    init.wait_state("db", "starting")
    result = init.ctl("wait", "--timeout", "200ms")
    equal(result.returncode, 4, "exit code when time is over")
    contains(result.stderr, "api: waiting for db", "what is said")
    equal(init.ctl("wait", "db:started").returncode, 0, "started, not ready")
    equal(init.ctl("wait", "api:waiting", "db:starting").returncode, 0, "two states")
    equal(init.ctl("wait", "db", "nobody").returncode, 3, "an unknown name")
    equal(init.ctl("wait", "db:up").returncode, 2, "an unknown condition")

    all_of_it, db, job = Waiter(init), Waiter(init, "db"), Waiter(init, "job:completed", "api")
    never, later = Waiter(init, "extra:completed"), Waiter(init, "extra:failed")
    init.write("db", "")
    db.ends(0)
    init.write("job", "")
    job.ends(0)
    until(all_of_it.runs, "wait without names still waits")
    init.write("extra", "")
    later.ends(0)
    contains(never.ends(1), "extra: failed", "what is said")
    contains(all_of_it.ends(1), "extra: failed", "why it is not all ready")

    down, gone = Waiter(init, "db:inactive"), Waiter(init, "api:backoff")
    until(lambda: down.waits() and gone.waits(), "both wait")
    equal(init.ctl("stop", "api", "db").returncode, 0, "exit code of stop")
    down.ends(0)
    equal(init.ctl("shutdown").returncode, 0, "exit code of shutdown")
    contains(gone.ends(1), "stopping", "why it cannot come")
    equal(init.wait(), 0, "exit code")
    equal(init.ctl("wait").returncode, 6, "exit code without init")

# an init that comes later: the second start takes the directory of the first
with Init(config=f"[service:a]\ncommand = {M} forever\n") as init:
    equal(init.ctl("wait", "--timeout", "20s").returncode, 0, "exit code of wait")
    equal(init.ctl("shutdown").returncode, 0, "exit code of shutdown")
    init.wait()
    early = Waiter(init, "--timeout", "60s", "a")
    init.start()
    early.ends(0)
    init.ctl("shutdown")
    equal(init.wait(), 0, "exit code")
