#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--env-file puts a file's variables over init's own; a bad line is named by file and line, its value is not."""
from lib import Init, equal, tool

GOOD = """\
# a comment
PLAIN=two words   # and a comment
export EXPORTED=yes
QUOTED="a \\"b\\" \\n c # no comment"
SINGLE='$HOME \\n'
EMPTY=
OVER=file
  INDENTED=1\r
HASH=a#b
URL=http://h/?a=1&b=2
OVER=later
LAST=no newline"""

EXPECTED = {"PLAIN": "two words", "EXPORTED": "yes", "QUOTED": 'a "b" \n c # no comment', "SINGLE": "$HOME \\n",
            "EMPTY": "", "OVER": "second file", "INDENTED": "1", "HASH": "a#b", "URL": "http://h/?a=1&b=2",
            "LAST": "no newline", "KEPT": "mine"}


def run(*files):
    words = [word for number in range(len(files)) for word in ("--env-file", f"{{dir}}/env{number}")]
    init = Init(*words, "--", tool("misbehave"), "identity", "{dir}/me", env={"OVER": "own", "KEPT": "mine"})
    for number, text in enumerate(files):
        if text is not None:
            init.write(f"env{number}", text)
    with init:
        return init.wait(), init.stderr.replace(str(init.dir), ""), init.read("me") and init.json("me")


code, _, me = run("\ufeff" + GOOD, "OVER=second file\n")
equal(code, 0, "exit code")
variables = [text.split("=", 1) for text in me["environment"]]
equal({name: value for name, value in variables if name in EXPECTED}, EXPECTED, "variables")
equal(len(variables), len(dict(variables)), "each variable is there once")

for text, message in (
        ("A=1\nno equal sign\n", "/env0:2: expected NAME=value"),
        ("\n\n=x\n", "/env0:3: there is no name before the ="),
        ("1A=secret\n", "/env0:1: the name of a variable begins with a letter or _"),
        ("A B=secret\n", "/env0:1: the name of a variable has letters, digits and _ only"),
        ('A="secret\n', "/env0:1: the quote is not closed on this line"),
        ('A="sec" ret\n', "/env0:1: text behind the closing quote"),
        ("A=se\0cret\n", "/env0: has a NUL byte, which no variable can hold"),
        (None, "/env0: ")):
    code, stderr, me = run(text)
    equal((code, me), (78, ""), f"exit code and program with {text!r}")
    equal(stderr[:len(message) + 13], f"muster-init: {message}", "message")
    equal("secret" in stderr, False, "the value is in the message")
