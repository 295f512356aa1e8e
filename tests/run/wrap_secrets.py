#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--secrets gives one variable for each file of a directory, or for NAME_FILE; they come last and stay secret."""
import os

from lib import Init, equal, tool


def run(*words, env=None, prepare=lambda init: None):
    init = Init(*words, "--", tool("misbehave"), "identity", "{dir}/me", env=env or {})
    (init.dir / "secrets").mkdir()
    prepare(init)
    with init:
        code = init.wait()
        me = dict(text.split("=", 1) for text in init.json("me")["environment"]) if code == 0 else {}
        return code, init.stderr.replace(str(init.dir), ""), me


def fill(init):
    init.write("secrets/db-password", "s3cret\n", 0o400)
    init.write("secrets/API.KEY", "two\nlines\r\n\n")
    init.write("secrets/empty", "")
    init.write("secrets/..data/hidden", "not a variable of its own")
    init.write("secrets/.hidden", "nor this")
    os.symlink("..data/hidden", init.dir / "secrets/linked")
    init.write("token", " blanks stay \n")
    init.write("env", "db_password=from the file\nOTHER=1\n")


code, stderr, me = run("--secrets", "{dir}/secrets", "--env-file", "{dir}/env", "--secrets", "TOKEN_FILE={dir}/token",
                       "--secrets", "NAME_FILE", env={"NAME_FILE": "/etc/hostname", "API_KEY": "old"}, prepare=fill)
equal((code, stderr), (0, ""), "exit code and stderr")
with open("/etc/hostname", encoding="utf-8") as file:
    hostname = file.read().rstrip("\r\n")
for name, value in {"db_password": "s3cret", "API_KEY": "two\nlines", "empty": "", "TOKEN": " blanks stay ",
                    "linked": "not a variable of its own", "NAME": hostname, "OTHER": "1",
                    "NAME_FILE": "/etc/hostname"}.items():
    equal(me.get(name), value, name)
equal([name for name in me if "hidden" in name or "data" in name], [], "what is no file of its own")


def same_name(init):
    init.write("secrets/a-b", "one")
    init.write("secrets/a.b", "two")


def bad_name(init):
    init.write("secrets/1st", "one")


for words, prepare, message in (
        (["{dir}/secrets"], same_name, "/secrets/a.b: another file gives the same variable"),
        (["{dir}/secrets"], bad_name, "/secrets/1st: the name of a variable begins with a letter or _"),
        (["{dir}/nowhere"], fill, "/nowhere: No such file or directory"),
        (["{dir}/token"], fill, "/token: not a directory; one file is written NAME_FILE=/path"),
        (["X_FILE"], fill, "--secrets: X_FILE is not set in the environment"),
        (["X_FILE={dir}/nowhere"], fill, "/nowhere: ")):
    code, stderr, _ = run("--secrets", *words, prepare=prepare)
    equal(code, 78, f"exit code for {words}")
    equal(stderr[:len(message) + 13], f"muster-init: {message}", f"message for {words}")
