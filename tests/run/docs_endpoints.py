# SPDX-License-Identifier: MIT
"""PATHS of muster-sidecar(8) has the paths that the sidecar answers, and no others, with what may stand behind their
question mark, the statuses of answers and the names of events."""
import re

from docslib import page, section, sources
from lib import check, equal

code = sources("sidecar")
text = page("muster-sidecar.8")
routes = set(re.findall(r"^\t\{\"(/[\w./]*)\", \w+\},$", code, re.M))
told = {path for line in re.findall(r"^\.It Pa (.*)", section(text, "PATHS"), re.M) for path in line.replace("Pa ", "").split(" , ")}
check("/livez" in routes, f"routes: {routes}")
equal(sorted({re.sub(r"NAME$", "", path.partition("?")[0]) for path in told}), sorted(routes), "paths in PATHS")

asked = set(re.findall(r"(?:MHD_GET_ARGUMENT_KIND,|request_asks\(request,|strcmp\(key,)\s*\"(\w+)\"", code))
equal(set(re.findall(r"[/\w]?\?(\w+)", section(text, "PATHS"))), asked, "words behind a question mark")

statuses = set(re.findall(r"\d+", re.search(r"statuses\[\] = \{(.*?)\}", code)[1]))
equal(sorted(number for number in statuses if not re.search(rf"\b{number}\b", text)), [], "statuses that are not in the page")

events = set(re.findall(r"(?:feed_publish(?:_value)?|\bappend)\(\s*[^\"();]*\"(\w+)\"", code))
listed = {name for line in re.findall(r"^\.It Sy (.*)", section(text, "EVENTS"), re.M) for name in line.split(" , ")}
equal(listed, events, "events")
