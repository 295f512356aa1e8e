#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Called as tini, docker-init, dumb-init or catatonit it takes that program's command line, and answers in its
words, on its streams, with its exit codes."""
import re
import subprocess

from lib import ROOT, called, contains, equal

LICENSE = (ROOT / "LICENSE").read_text()
REWRITE = """Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.
This option can be specified multiple times.
Use --help for full usage.
"""
DUMB_INIT_HELP = """dumb-init v1.2.5
Usage: dumb-init [option] command [[arg] ...]

dumb-init is a simple process supervisor that forwards signals to children.
It is designed to run as PID1 in minimal container environments.

Optional arguments:
   -c, --single-child   Run in single-child mode.
                        In this mode, signals are only proxied to the
                        direct child and not any of its descendants.
   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.
                        To ignore (not proxy) a signal, rewrite it to 0.
                        This option can be specified multiple times.
   -v, --verbose        Print debugging information to stderr.
   -h, --help           Print this help message and exit.
   -V, --version        Print the current version and exit.

Full help is available online at https://github.com/Yelp/dumb-init
"""
DUMB_INIT_USAGE = "Usage: dumb-init [option] program [args]\nTry dumb-init --help for full usage.\n"
CATATONIT_USAGE = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n"
TINI_HELP = r"tini \(tini version .*supervision of a valid init process.*more verbose.*TINI_VERBOSITY"
WARNING = r"\[WARN  tini \(\d+\)\] .*zombie reaping won't work\n"

# name, arguments, environment, exit code, stdout, stderr: texts, or patterns for all of it where they say r:
CASES = [
    ("tini", ["--version"], {}, 0, r"r:tini version .*\n", ""),
    ("docker-init", ["--version"], {}, 0, r"r:tini version .*\n", ""),
    ("tini", ["-h"], {}, 0, "r:" + TINI_HELP, ""),
    ("docker-init", ["-h"], {}, 0, r"r:docker-init \(tini version ", ""),
    ("tini", ["-l"], {}, 0, LICENSE, ""),
    ("tini", [], {}, 1, "", "r:" + TINI_HELP),
    ("tini", ["--version", "true"], {}, 1, "", r"r:tini: invalid option -- '-'\n" + TINI_HELP),
    ("tini", ["-x"], {}, 1, "", r"r:tini: invalid option -- 'x'\n" + TINI_HELP),
    ("tini", ["-p"], {}, 1, "", r"r:tini: option requires an argument -- 'p'\n" + TINI_HELP),
    ("tini", ["-p", "SIGNOTHING", "true"], {}, 1, "", r"r:\[FATAL tini \(\d+\)\] Not a valid option for -p: SIGNOTHING\n$"),
    ("tini", ["-e", "256", "true"], {}, 1, "", r"r:\[FATAL tini \(\d+\)\] Not a valid option for -e: 256\n$"),
    ("tini", ["-s", "--", "true"], {}, 0, "", ""),
    ("tini", ["true"], {}, 0, "", "r:" + WARNING + "$"),
    ("tini", ["-v", "true", "-v"], {}, 0, r"r:\[INFO  tini \(\d+\)\] Spawned child process 'true' with pid '\d+'\n"
     r"(\[DEBUG .*\n)*\[INFO  tini \(\d+\)\] Main child exited normally \(with status '0'\)\n", "r:" + WARNING),
    ("tini", ["true", "-x"], {"POSIXLY_CORRECT": "1"}, 0, "", "r:" + WARNING + "$"),
    ("tini", ["-s", "--", "--", "true"], {}, 127, "", r"r:\[FATAL tini \(\d+\)\] exec -- failed: No such file or directory\n$"),
    ("tini", ["-s", "/etc"], {}, 126, "", r"r:\[FATAL tini \(\d+\)\] exec /etc failed: Permission denied\n$"),
    ("tini", ["true"], {"TINI_SUBREAPER": "", "TINI_VERBOSITY": "3"}, 0, r"r:(.*\n)*\[DEBUG tini \(\d+\)\] Received SIGCHLD\n", ""),
    ("tini", ["true"], {"TINI_VERBOSITY": "0"}, 0, "", ""),
    ("tini", ["-s", "-e", "7", "--", "sh", "-c", "exit 7"], {}, 0, "", ""),
    ("tini", ["-s", "-e", "7", "-e", "143", "--", "sh", "-c", "kill $$"], {}, 0, "", ""),
    ("tini", ["-s", "-e", "7", "--", "sh", "-c", "exit 8"], {}, 8, "", ""),
    ("docker-init", ["-s", "--", "sh", "-c", "kill -9 $$"], {}, 137, "", ""),

    ("dumb-init", [], {}, 1, "", DUMB_INIT_USAGE),
    ("dumb-init", ["--yolo", "true"], {}, 1, "", "dumb-init: unrecognized option '--yolo'\n"),
    ("dumb-init", ["-x", "true"], {}, 1, "", "dumb-init: invalid option -- 'x'\n"),
    ("dumb-init", ["--help=3"], {}, 1, "", "dumb-init: option '--help' doesn't allow an argument\n"),
    ("dumb-init", ["true", "--yolo"], {}, 0, "", ""),
    ("dumb-init", ["--", "true"], {}, 0, "", ""),
    ("dumb-init", ["sh", "-c", "exit 9"], {}, 9, "", ""),
    ("dumb-init", ["sh", "-c", "kill -9 $$"], {}, 137, "", ""),
    ("dumb-init", ["/doesnotexist"], {}, 2, "", "[dumb-init] /doesnotexist: No such file or directory\n"),
    ("dumb-init", ["-c", "--", "/etc"], {}, 2, "", "[dumb-init] /etc: Permission denied\n"),
    ("dumb-init", ["-v", "-c", "true"], {}, 0, "", r"r:\[dumb-init\] Child spawned with PID (\d+)\.\n"
     r"\[dumb-init\] Received signal 17\.\n\[dumb-init\] A child with PID \1 exited with exit status 0\.\n"
     r"\[dumb-init\] Forwarded signal 15 to children\.\n\[dumb-init\] Child exited with status 0\. Goodbye\.\n$"),
    ("dumb-init", ["--verbose", "sh", "-c", "kill -1 $$"], {}, 129, "", r"r:(.*\n)*\[dumb-init\] setsid complete\.\n(.*\n)*"
     r"\[dumb-init\] A child with PID \d+ was terminated by signal 1\.\n"),
    ("dumb-init", ["true"], {"DUMB_INIT_DEBUG": "1", "DUMB_INIT_SETSID": "0"}, 0, "",
     r"r:\[dumb-init\] Running in debug mode\.\n\[dumb-init\] Not running in setsid mode\.\n\[dumb-init\] Child spawned"),
    ("dumb-init", ["true"], {"DUMB_INIT_DEBUG": "yes", "DUMB_INIT_SETSID": ""}, 0, "", ""),
    *[("dumb-init", [flag], env, 0, "", text) for flag, text in
      {"-h": DUMB_INIT_HELP, "--help": DUMB_INIT_HELP, "-V": "dumb-init v1.2.5\n",
       "--version": "dumb-init v1.2.5\n"}.items()
      for env in ({}, {"DUMB_INIT_DEBUG": "1", "DUMB_INIT_SETSID": "0"})],
    *[("dumb-init", ["-r", *words], {"DUMB_INIT_DEBUG": "1"}, 1, "", REWRITE) for words in
      (["echo", "hi"], ["", "echo"], [":", "echo"], ["15", "echo"], ["15::12", "echo"], ["15:derp", "echo"],
       ["TERM:INT", "echo"], ["0:1", "echo"], ["32:1", "echo"], ["1:32", "echo"], ["-1:1", "echo"],
       ["15:12", "-r", "0", "echo"], [])],

    ("catatonit", ["--version"], {}, 0, "tini version 0.2.1_catatonit\n", ""),
    ("catatonit", ["-V", "anything"], {}, 0, "tini version 0.2.1_catatonit\n", ""),
    ("catatonit", ["-L"], {}, 0, LICENSE, ""),
    ("catatonit", ["-h"], {}, 0, "", "r:" + re.escape(CATATONIT_USAGE)),
    ("catatonit", [], {}, 1, "", r"r:ERROR \(catatonit:\d+\): missing program name\n" + re.escape(CATATONIT_USAGE) + "$"),
    ("catatonit", ["-x"], {}, 1, "", "catatonit: invalid option -- 'x'\n" + CATATONIT_USAGE),
    ("catatonit", ["--yolo"], {}, 1, "", "catatonit: unrecognized option '--yolo'\n" + CATATONIT_USAGE),
    ("catatonit", ["--", "sh", "-c", "exit 9"], {}, 9, "", ""),
    ("catatonit", ["--", "sh", "-c", "kill -9 $$"], {}, 137, "", ""),
    ("catatonit", ["true", "-V"], {}, 0, "tini version 0.2.1_catatonit\n", ""),
    *[("catatonit", ["-g", "--", path], {}, 1, "", rf"r:ERROR \(catatonit:\d+\): failed to exec pid1: {why}\n$")
      for path, why in {"/doesnotexist": "No such file or directory", "/etc": "Permission denied"}.items()],
]


def compare(actual, expected, what):
    if not expected.startswith("r:"):
        equal(actual, expected, what)
    elif not re.match(expected[2:], actual, re.S if "TINI_VERBOSITY" in expected else 0):
        contains(actual, expected, what)  # which fails and shows both


for name, arguments, env, code, stdout, stderr in CASES:
    result = subprocess.run([name, *arguments], executable=called(name), env={"PATH": "/usr/bin:/bin", **env},
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    line = " ".join([*(f"{key}={value}" for key, value in env.items()), name, *arguments])
    equal(result.returncode, code, f"exit code of {line!r}")
    compare(result.stdout, stdout, f"stdout of {line!r}")
    compare(result.stderr, stderr, f"stderr of {line!r}")
