#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Wrong use gives 2 and says what is accepted; --help fits a screen; --version and --help give 0."""
from lib import contains, check, equal, run_init

for words, part in (
        ((), "neither a PROGRAM to wrap nor a configuration"),
        (("--yolo", "true"), "--yolo is no option"),
        (("-x", "true"), "-x is no option"),
        (("-e",), "-e needs a value"),
        (("-e", "256", "true"), "0 to 255"),
        (("-e", "-1", "true"), "0 to 255"),
        (("-r", "TERM", "true"), "TERM:QUIT"),
        (("-r", "TERM:NOPE", "true"), "TERM:QUIT"),
        (("-r", "KILL:TERM", "true"), "never forwarded"),
        (("-r", "CHLD:0", "true"), "never forwarded"),
        (("-p", "0", "true"), "a signal such as"),
        (("--grace", "5", "true"), "250ms, 10s, 2m or 1h"),
        (("--umask", "9", "true"), "octal"),
        (("--rlimit", "nofile", "true"), "NAME=SOFT[:HARD]"),
        (("--rlimit", "nope=1", "true"), "NAME one of as, core"),
        (("--rlimit", "nofile=9:3", "true"), "SOFT at most HARD"),
        (("--rlimit", "nofile=many", "true"), "each a number or `unlimited`"),
        (("--rlimit", f"nofile={'1' * 40}", "true"), "each a number or `unlimited`"),
        (("--rlimit", f"{'n' * 40}=1", "true"), "NAME one of as, core"),
        (("--user", "no-such-user", "true"), '"no-such-user" does not exist here'),
        (("--user", "0x0", "true"), "neither a name nor a number"),
        (("--user", "0:no-such-group", "true"), '"no-such-group" does not exist here'),
        (("--groups", ",".join(map(str, range(1, 1100))), "true"), "cannot be looked up: Argument list too long"),
        (("--env-file", "x") * 65 + ("true",), "more than 64 files of one kind"),
        (("--user", "u" * 80, "true"), "neither a name nor a number"),
        (("--groups", "root,no-such-group", "true"), '"no-such-group" does not exist here'),
        (("--user=", "true"), "not empty"),
        (("--secrets=", "true"), "is empty"),
        (("-c", ""), "is empty"),
        (("--group=1", "true"), "takes no value"),
        (("--cap-drop", "CHOWN,cap_net_rav", "true"), '"cap_net_rav" is no capability such as NET_BIND_SERVICE, nor '
                                                      'ALL; did you mean "NET_RAW"?'),
        (("--cap-drop=", "true"), '"" is no capability'),
        (("--cap-add", "12", "true"), '"12" is no capability'),
        (("--cap-add=all", "--cap-drop=ALL", "true"), "ALL is given to --cap-add and to --cap-drop"),
        (("--seccomp", "defualt", "true"), "default, unconfined, audit, audit:/path or the /path of a profile"),
        (("--user", "1", "-c", "x.ini"), "--user is for wrapping"),
        (("-g", "--check"), "--group is for wrapping")):
    result = run_init(*words, pid1=False)
    equal(result.code, 2, f"code of {words}")
    contains(result.stderr, part, f"stderr of {words}")
    equal(result.stderr.count("\n"), 2, f"lines for {words}")
    equal(result.stdout, "", "stdout")

# what is for wrapping alone is refused, too, where there is a configuration that could be run instead
result = run_init("--group", pid1=False, env={"MUSTER_CONFIG": "/nonesuch.ini"})
equal(result.code, 2, "code of --group without a program")
contains(result.stderr, "--group needs a PROGRAM to wrap", "what is said of it")
result = run_init(pid1=False, env={"MUSTER_CONFIG": "/nonesuch.ini"})
equal(result.code, 78, "code without words, with a configuration that is not there")
contains(result.stderr, "/nonesuch.ini: cannot open: ", "what is said of it")

for words in (("--help",), ("-h",)):
    result = run_init(*words, pid1=False)
    equal((result.code, result.stderr), (0, ""), "--help")
    check(len(result.stdout.splitlines()) <= 24, "help is longer than a screen")
    check(max(map(len, result.stdout.splitlines())) <= 80, "help is wider than a screen")
for words in (("--version",), ("-V",)):
    result = run_init(*words, pid1=False)
    equal((result.code, result.stdout.split()[0]), (0, "muster-init"), "--version")
# options behind the program are the program's
equal(run_init("echo", "--help", "-x", pid1=False).stdout, "--help -x\n", "arguments of the program")
equal(run_init("--", "echo", "--", "-g", pid1=False).stdout, "-- -g\n", "arguments of the program")
