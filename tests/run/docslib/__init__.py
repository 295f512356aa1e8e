# SPDX-License-Identifier: MIT
"""Manual pages and sources as tests read them that compare the two.

What a page says is taken from its mdoc(7) text, what a program does from its sources (wherever in their folder they
are) or from the program itself; nothing is listed here a third time.
"""
import re
import subprocess

from lib import CTL, INIT, ROOT, SIDECAR, check

# name of a program: itself, its page, where its sources are, and what of these is another's
PROGRAMS = {
    "muster-init": (INIT, "muster-init.8", "init", "init/ctl"),
    "musterctl": (CTL, "musterctl.1", "init/ctl", None),
    "muster-sidecar": (SIDECAR, "muster-sidecar.8", "sidecar", None),
}


def page(name):
    return (ROOT / "docs" / name).read_text()


def section(text, title):
    """What stands below `.Sh TITLE`, up to the next."""
    found = re.search(rf"^\.Sh {re.escape(title)}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)
    check(found, f"there is no section {title}")
    return found[1]


def sources(folder, without=None):
    """The text of all .c and .h files below a folder."""
    paths = [path for path in sorted((ROOT / folder).rglob("*.[ch]"))
             if not (without and path.is_relative_to(ROOT / without))]
    check(paths, f"no sources below {folder}/")
    return "\n".join(path.read_text() for path in paths)


def items(text, macro):
    """The words that the items `.It MACRO a , b ...` of a list begin with."""
    return [word for line in re.findall(rf"^\.It {macro}{' ' if macro else ''}(.*)$", text, re.M)
            for word in line.replace(f" {macro} ", " ").split() if word != ","]


def flags(line):
    """The options in a line of mdoc: `Fl f , -follow`, `Fl -ready | -live` give -f --follow --ready --live."""
    return {f"-{word}" for run in re.findall(r"\bFl ((?:-?[\w-]+)(?: [|,] (?:Fl )?-?[\w-]+)*)", line)
            for word in re.split(r" [|,] (?:Fl )?", run)}


def output(*words, code=0):
    """What a program prints."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def options_of_help(text):
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", text))
