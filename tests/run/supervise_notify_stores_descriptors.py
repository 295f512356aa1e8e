# SPDX-License-Identifier: MIT
"""Descriptors that a service stores come back at its next start, behind its sockets, by their names."""
import os
import signal
import socket
import tempfile

from lib import Init, check, equal, free_port, until
from notifylib import PROGRAM, fresh, speaker

PORT = free_port()
CONFIG = f"""
[service:keeper]
command = {PROGRAM} {{dir}}/keeper
readiness_probe = notify
restart_backoff = 1ms
restart_limit = unlimited
listen = tcp:127.0.0.1:{PORT}
[service:plain]
command = {PROGRAM} {{dir}}/plain
readiness_probe = notify
restart_backoff = 1ms
[service:numbered]
command = {PROGRAM} {{dir}}/numbered
readiness_probe = notify
    fd:7
"""


def again(init, name):
    """Kills the service; the speaker of its next start."""
    starts = init.services()[name]["starts"]
    speaker(init, name)
    os.kill(init.outside(init.services()[name]["pid"]), signal.SIGKILL)
    until(lambda: init.services()[name]["starts"] > starts, f"{name} was started again")
    return fresh(init, name)


def init_descriptors(init):
    return len(os.listdir(f"/proc/{init.pid}/fd"))


with Init(config=CONFIG) as init, tempfile.TemporaryFile() as file:
    plain, keeper, numbered = (speaker(init, name) for name in ("plain", "keeper", "numbered"))
    plain.say("STATUS=here")  # init has done with the starts of all
    equal(plain.descriptors(), [], "before anything is stored")
    before = init_descriptors(init)
    near, far = socket.socketpair()
    plain.say("READY=1\nFDSTORE=1\nFDNAME=state", [file.fileno()])
    plain.say("FDSTORE=1\nFDNAME=link", [far.fileno()])
    plain.say("FDSTORE=1\nFDNAME=link", [far.fileno()])  # the same again is the same
    plain.say("FDSTORE=1\nFDNAME=bad:name", [os.memfd_create("unnamed")])
    equal(init_descriptors(init), before + 3, "descriptors of init")
    plain = again(init, "plain")
    equal([name for name, _ in plain.descriptors()], ["state", "link", "stored"], "names")
    equal(plain.environment()["LISTEN_FDS"], "3", "LISTEN_FDS")
    check("unnamed" in plain.descriptors()[2][1], "the third is the third")
    # what was named is removed by its name; one whose other end is gone removes itself
    plain.say("FDSTOREREMOVE=1\nFDNAME=state")
    plain.say("FDSTOREREMOVE=1")
    equal(init_descriptors(init), before + 2, "descriptors of init")
    near.close()
    far.close()
    until(lambda: init_descriptors(init) == before + 1, "the one without another end is dropped")
    near, far = socket.socketpair()
    plain.say("FDSTORE=1\nFDPOLL=0\nFDNAME=kept", [far.fileno()])
    near.close()
    plain.say("STATUS=that end is closed")
    equal(init_descriptors(init), before + 2, "descriptors of init with FDPOLL=0")
    # a restart that is asked for keeps them, a stop does not
    starts = init.services()["plain"]["starts"]
    equal(init.ctl("restart", "plain", "--no-wait").returncode, 0, "exit code of musterctl restart")
    until(lambda: init.services()["plain"]["starts"] > starts, "plain was started again")
    plain = fresh(init, "plain")
    equal([name for name, _ in plain.descriptors()], ["kept", "stored"], "names after a restart")
    plain.say("READY=1")
    equal(init.ctl("stop", "plain").returncode, 0, "exit code of musterctl stop")
    equal(init.ctl("start", "plain", "--no-wait").returncode, 0, "exit code of musterctl start")
    until(lambda: init.services()["plain"]["pid"], "plain was started")
    equal(fresh(init, "plain").descriptors(), [], "after a stop")

    # behind its sockets; more than there is room for are closed, and that is said
    equal(len(keeper.descriptors()), 1, "its socket")
    for _ in range(2):  # behind the second one init has closed the connection of musterctl start
        keeper.say("STATUS=here")
    before = init_descriptors(init)
    files = [os.memfd_create(f"file{i}") for i in range(20)]
    keeper.say("FDSTORE=1\nFDNAME=first", files[:3])
    keeper.say("FDSTORE=1\nFDNAME=more", files[3:])
    init.wait_line("keeper: at most 16 descriptors can be stored: the others are closed")
    equal(init_descriptors(init), before + 16, "descriptors of init")
    keeper.say("READY=1")
    keeper = again(init, "keeper")
    found = keeper.descriptors()
    equal(len(found), 17, "descriptors")
    check(found[0][1].startswith("socket:"), "the socket comes first")
    equal([name for name, _ in found[1:]], ["first"] * 3 + ["more"] * 13, "names")
    equal([path.split("file")[1].split()[0] for _, path in found[1:]], [str(i) for i in range(16)],
          "they are in the order in which they were stored")

    # its own number is not to be taken by one that is stored
    numbered.say("STATUS=here")
    before = init_descriptors(init)
    numbered.say("FDSTORE=1", files[:2])
    equal(init_descriptors(init), before, "descriptors of init")
