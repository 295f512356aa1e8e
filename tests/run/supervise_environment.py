# SPDX-License-Identifier: MIT
"""A service's environment: init's own, MUSTER_*, addresses and exports, env_file, secrets, environment; the later wins."""
from lib import IS_ROOT, Init, equal, need, tool

M = tool("misbehave")
CONFIG = f"""
[muster]
name = testhost
mode = testing
[address:cache]
port = 6379
testing = 10.0.0.7
export = CACHE_URL=redis://{{host}}:{{port}}/0, TAKEN=from-address
[service:web]
command = {M} identity {{dir}}/web forever
env_file = {{dir}}/a.env, {{dir}}/b.env
secrets = {{dir}}/secrets
environment =
    TOP=environment
    GREETING=hello ${{NAME:-nobody}} $$HOME
    ADDRESS=${{address:cache}}
[service:plain]
command = {M} identity {{dir}}/plain forever
""".replace("{host}", "{host}")

run = Init(config=CONFIG, env={"TOP": "init", "ONLY_INIT": "init", "NAME": "you", "TAKEN": "by-container",
                               "FIRST": "init", "LISTEN_FDS": "1", "LISTEN_PID": "1", "WATCHDOG_USEC": "5",
                               "MUSTER_SERVICE": "outer", "SECRET": "init"})
run.write("a.env", "# comment\nTOP=a\nFIRST=a\nexport QUOTED=\"two words\"\n")
run.write("b.env", "FIRST=b\nTOP=b\nSECRET=b\n")
(run.dir / "secrets").mkdir()
run.write("secrets/SECRET", "hidden\n")
run.write("secrets/TOP", "secret\n")
with run as init:
    web = dict(v.split("=", 1) for v in init.json("web")["environment"])
    plain = dict(v.split("=", 1) for v in init.json("plain")["environment"])
    for name, value in {"TOP": "environment", "ONLY_INIT": "init", "FIRST": "b", "QUOTED": "two words",
                        "SECRET": "hidden", "GREETING": "hello you $HOME", "ADDRESS": "10.0.0.7:6379",
                        "MUSTER_SERVICE": "web", "MUSTER_HOST": "testhost", "MUSTER_MODE": "testing",
                        "MUSTER_RUN_DIR": str(init.run_dir), "MUSTER_ADDRESS_CACHE": "10.0.0.7:6379",
                        "CACHE_URL": "redis://10.0.0.7:6379/0", "TAKEN": "by-container"}.items():
        equal(web.get(name), value, f"{name} of web")
    for name, value in {"TOP": "init", "FIRST": "init", "SECRET": "init", "MUSTER_SERVICE": "plain",
                        "CACHE_URL": "redis://10.0.0.7:6379/0"}.items():
        equal(plain.get(name), value, f"{name} of plain")
    for name in ("LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC", "NOTIFY_SOCKET"):
        equal(name in web, False, f"{name}, which was meant for init")
    names = [v.partition("=")[0] for v in init.json("web")["environment"]]
    equal(len(names), len(set(names)), "each name once")

# where [muster] does not say otherwise the host's name is the machine's, with what no name can have made a _
if IS_ROOT:
    need("unshare")
    with Init(config=f"[service:web]\ncommand = {M} identity {{dir}}/web forever\n",
              prefix=["unshare", "--uts", "sh", "-c", 'echo "a b-c!" >/proc/sys/kernel/hostname && exec "$@"', "sh"]) as init:
        equal(dict(v.split("=", 1) for v in init.json("web")["environment"])["MUSTER_HOST"], "a_b-c_", "MUSTER_HOST")
