# SPDX-License-Identifier: MIT
"""Each manual page has the sections that a reader looks for; each file in FILES is one that the program knows, each
file of /etc and /run that it knows is there; the signals in SIGNALS are those that it takes."""
import re

from docslib import PROGRAMS, page, section, sources
from lib import check, equal

SECTIONS = {
    "muster-init.8": ("OPTIONS", "SIGNALS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"),
    "muster-sidecar.8": ("OPTIONS", "SIGNALS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"),
    "musterctl.1": ("VERBS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"),
    "muster.ini.5": ("FORMAT", "SECTIONS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"),
    "gpu-check.1": ("EXIT STATUS", "EXAMPLES", "SEE ALSO"),
}
# of what is in the runtime directory the sources have the names alone
FROM = {"muster.ini.5": ("common", None)} | {file: (folder, without) for _, file, folder, without in PROGRAMS.values()}


def files(text):
    return {path for line in re.findall(r"^\.It Pa (.*)", text, re.M) for path in re.findall(r"[^\s,]{3,}", line)}


for file, titles in SECTIONS.items():
    text = page(file)
    for title in titles:
        check(len(section(text, title).strip()) > 20, f"{file}: {title} is empty")
    others = set(re.findall(r"^\.Xr (\S+ \d)", section(text, "SEE ALSO"), re.M))
    equal(sorted(other for other in others if other.split()[0].startswith("muster") and
                 f"{other.replace(' ', '.')}" not in SECTIONS), [], f"SEE ALSO of {file}")

common = sources("common")
for file, (folder, without) in FROM.items():
    own = sources(folder, without)
    told = files(section(page(file), "FILES"))
    for path in told:
        known = path.replace("/run/muster/", "").replace("/etc/muster/conf.d/*.ini", "conf.d")
        check(re.search(rf"\"[^\"]*{re.escape(known)}\"", own + common) or known in own, f"{file}: {path} is not in the sources")
    knows = set(re.findall(r'"(/(?:etc|run)/[\w.-]+(?:/[\w.-]+)*)"', own)) - {"/run/muster"}
    equal(sorted(knows - told - {"/etc/muster/muster.ini"}), [], f"in the sources, but not in FILES of {file}")

taken = set(re.findall(r"sigaddset\(&\w+, (SIG\w+)\)", sources("sidecar"))) - {"SIGCHLD"}
equal(set(re.findall(r"SIG[A-Z]+", section(page("muster-sidecar.8"), "SIGNALS"))), taken, "SIGNALS of muster-sidecar.8")
