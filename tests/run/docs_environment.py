# SPDX-License-Identifier: MIT
"""Variables of the environment: each that a program reads is in its manual page, each in a page's ENVIRONMENT is read,
and none of muster's own can be taken for the override of a key."""
import re

from docslib import PROGRAMS, page, section, sources
from lib import check, equal

READ = r"\b(?:getenv|nonempty_env|is_set|load_set_variable|load_variable)\((?:load, )?(?:\"(\w+)\"|([A-Z_]{4,}))"
PATTERNS = ("MUSTER_*", "MUSTER_SIDECAR_*", "MUSTER_SERVICE_NAME_*")  # overrides of keys: those are in tables


def read_in(text):
    """The names of variables that a source reads, by name or by a #define of it."""
    names = {plain or re.search(rf"#define {macro} +\"(\w+)\"", everything)[1] for plain, macro in re.findall(READ, text)}
    # tables of variables: those of other inits, and what of the terminal's is passed by name
    return names | set(re.findall(r"\{DEED_\w+, \w+, \"([A-Z_]+)\"", text))


def named(text):
    """What .Ev lines name."""
    return {word.partition("=")[0] for line in re.findall(r"\bEv (.*)", text)
            for word in re.findall(r"(?:^|, )([A-Z_a-z]{2,}\*?(?:=\S+)?)", line)} - {"No"}


everything = "\n".join(sources(folder) for folder in ("common", "init", "sidecar"))
programs = [(file, sources(folder, without), sources("common")) for _, file, folder, without in PROGRAMS.values()]
for file, text, also in [*programs, ("muster.ini.5", sources("common"), sources("init"))]:
    reads = read_in(text)
    check(len(reads) > 2, f"{file}: read are {reads}")
    equal(sorted(reads - named(page(file))), [], f"read, but not in {file}")
    told = named(section(page(file), "ENVIRONMENT")) - set(PATTERNS)
    equal(sorted(name for name in told if not re.search(rf"\"{name}[=\"]", text + also)), [],
          f"in ENVIRONMENT of {file}, but not read")
reserved = re.search(r"reserved\[\] = \{(.*?)\}", sources("common"), re.S)[1]
own = {name for name in read_in(everything) if name.startswith("MUSTER_")}
equal(sorted(own - {f"MUSTER_{name}" for name in re.findall(r'"(\w+)"', reserved)}), [],
      "muster's own variables that are not kept from overriding a key")
