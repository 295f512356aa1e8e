# SPDX-License-Identifier: MIT
"""Plays a page of docs/tutorial as a reader would: every block of it, from top to bottom, in one shell.

A block below the line `NAME`: (alone, in backquotes) is written to that file. A block that begins with `$ ` is typed:
behind each `$ ` a command, below it what is printed. A page has no other blocks, so nothing in it is untried. A
command that fails fails the test, except where the page looks at its exit code next (`echo $?`).

What is printed must be what the page shows, line by line. What varies may vary: a time, a size, a share, a number of
four digits or more, the width of gaps, the bars of a timeline, and whatever the page has `...` for, which alone on a
line stands for any lines.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import textwrap

from lib import CTL, INIT, ROOT, SIDECAR, check, fail, namespace_command, need

FOLDER = ROOT / "docs/tutorial"
SECONDS = 100
MARK = "\x1e"  # between what one command prints and what the next does
VARIES = (  # in a line of a page; what may stand there
    (r"\|[#=.x ]+\|", r"\|[#=.x ]+\|"),
    (r"\.\.\.", r".*"),
    (r"\b(?:now|\d+(?:\.\d+)?(?:us|ms|s|m|h))\b", r"(?:now|[\d.]+(?:us|ms|s|m|h))"),
    (r"\b\d+(?:\.\d+)?(?:kB|MB|[KMG]|%)", r"[\d.]+(?:kB|MB|[KMG]|%)"),
    (r"(?<![.\d])(?:\d+\.\d+\b(?![.:])|\d{4,}\b)", r"[\d.e+-]+"),
)
CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # some programs take a pipe for a terminal
KNOWN = re.compile("|".join(f"({varies})" for varies, _ in VARIES))


def parse(text):
    """The blocks of a page: (file name or None, text)."""
    found = []
    for match in re.finditer(r"^\n((?:    .*\n|\n(?=    ))+)", text, re.M):
        above = text[:match.start()].rstrip("\n").rpartition("\n")[2]
        name = re.fullmatch(r"`([\w./-]+)`:", above)
        block = textwrap.dedent(match[1])
        check(name or block.startswith("$ "), f"a block is neither a file nor typed: {block!r}")
        found.append((name[1] if name else None, block))
    return found


def steps(block):
    """(command, lines that it prints); a command goes on below a line that ends with a backslash."""
    found = []
    for line in block.replace("\\\n", "\0").splitlines():
        if line.startswith("$ "):
            found.append((line[2:].replace("\0", "\\\n"), []))
        else:
            found[-1][1].append(line)
    return found


def pattern(line):
    """A regular expression of what may stand where the page has this line."""
    def replace(match):
        return VARIES[match.lastindex - 1][1] if match.lastindex else re.escape(match[0])

    return re.sub(f"{KNOWN.pattern}|.", replace, " ".join(line.split()))


def compare(command, wanted, printed):
    """Fails where what a command printed is not what the page shows."""
    expression = "".join(r"(?:.*\n)*" if line.strip() == "..." else pattern(line) + r"\n" for line in wanted)
    lines = CODES.sub("", printed).splitlines()
    text = "".join(" ".join(line.split()) + "\n" for line in lines if line.strip())
    if not re.fullmatch(expression, text):
        fail(f"$ {command}\nprinted:\n{printed}\nbut the page has:\n" + "\n".join(wanted))


def script(blocks):
    """What the shell gets, and the typed steps that it makes of the blocks."""
    lines, typed = ["exec 2>&1"], []
    for name, block in blocks:
        if name:
            lines.append(f"mkdir -p $(dirname {name}); cat >{name} <<'END OF FILE'\n{block}END OF FILE")
            continue
        for step in steps(block):
            # as on a terminal, $? is that of the command before
            lines.append(f"(exit ${{code:-0}})\n{step[0]}\ncode=$?; printf '{MARK}%d\\n{MARK}' $code")
            typed.append((step[0], [line for line in step[1] if line.strip()]))
    return "\n".join(lines) + "\n", typed


def play(page, words, env, folder, seconds=SECONDS):
    """Plays it in a folder, with a shell that `words` start."""
    text, typed = script(parse((FOLDER / f"{page}.md").read_text()))
    path = folder.with_name(folder.name + ".sh")
    path.write_text(text)
    try:
        result = subprocess.run([*words, "sh", path], env=env, cwd=folder, stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as slow:
        fail(f"{page}.md was not done within {seconds} s:\n{(slow.stdout or b'').decode(errors='replace')}")
    finally:
        path.unlink()
    parts = result.stdout.split(MARK)
    for number, (command, wanted) in enumerate(typed):
        if 2 * number + 1 >= len(parts):
            fail(f"the shell did not come to `{command}`:\n{result.stdout}")
        printed, code = parts[2 * number:2 * number + 2]
        compare(command, wanted, printed)
        looked_at = number + 1 < len(typed) and typed[number + 1][0] == "echo $?"
        check(code.strip() == "0" or looked_at, f"$ {command}\n{printed}exit code {code}")
    return result.stdout


def play_here(page, *programs, done=lambda folder: None):
    """Plays a page that needs no container, in namespaces in which all its ports are free."""
    for program in (*programs, "ip"):
        need(program)
    env = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    with tempfile.TemporaryDirectory(prefix="muster-test-") as name:
        folder = pathlib.Path(name) / "page"
        installed = pathlib.Path(name) / "bin"
        for path in (folder, installed):
            path.mkdir()
        pathlib.Path(name).chmod(0o755)
        for program in (INIT, CTL, SIDECAR):
            shutil.copy(program, installed)
        env |= {"PATH": f"{installed}:{env['PATH']}", "MUSTER_TEST": os.environ.get("MUSTER_TEST", "")}
        words = [*namespace_command(), "unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        play(page, words, env, folder)
        done(folder)
