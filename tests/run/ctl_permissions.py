# SPDX-License-Identifier: MIT
"""Anyone who reaches the directory may look; only uid 0 and init's own uid may change anything."""
import subprocess

from lib import CTL, Init, contains, equal, need, need_root, tool, until

need_root()
need("setpriv")
CONFIG = f"[service:web]\ncommand = {tool('misbehave')} print hello forever\n"


def stranger(init, *words):
    return subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", CTL, *words],
                          env=init.env, capture_output=True, text=True, check=False, timeout=20)


with Init(config=CONFIG) as init:
    equal(init.ctl("wait", "--timeout", "20s").returncode, 0, "exit code of wait")
    for words in (["start", "web"], ["stop", "web"], ["restart", "web"], ["signal", "web", "KILL"], ["reload"],
                  ["shutdown"], ["stop", "--no-wait", "web"], ["shutdown", "--no-wait"]):
        result = stranger(init, *words)
        equal(result.returncode, 5, f"exit code of {words}")
        contains(result.stderr, "65534", f"what {words} says")
    for words in (["status"], ["status", "--json"], ["wait"], ["health"], ["health", "--live"], ["timeline"],
                  ["graph"], ["logs"], ["top", "--once", "--interval", "10ms"]):
        equal(stranger(init, *words).returncode, 0, f"exit code of {words}")
    until(lambda: "hello" in stranger(init, "logs", "web").stdout, "what a stranger reads")
    before = init.services()["web"]

    # without the socket the page still is for all
    init.run_dir.joinpath("control.sock").chmod(0o600)
    equal(stranger(init, "stop", "web").returncode, 5, "exit code where the socket is closed to us")
    for words in (["status"], ["wait"], ["health"], ["health", "--live"]):
        equal(stranger(init, *words).returncode, 0, f"exit code of {words} without the socket")
    equal(stranger(init, "wait", "--timeout", "300ms", "web:failed").returncode, 4, "waiting by the page alone")
    init.run_dir.chmod(0o700)
    equal(stranger(init, "status").returncode, 5, "exit code where the directory is closed to us")
    equal(stranger(init, "health").returncode, 1, "health never has another exit code than 0 and 1")

    after = init.services()["web"]
    equal((after["pid"], after["starts"]), (before["pid"], before["starts"]), "nothing happened to the service")
    equal(init.ctl("shutdown").returncode, 0, "exit code of shutdown by root")
    equal(init.wait(), 0, "exit code")
