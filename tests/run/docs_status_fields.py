# SPDX-License-Identifier: MIT
"""Every field of /status has a description in docs/status.schema.json, a row in docs/status.md, a place in
muster-sidecar(8) and in the sources; the page names no field that there is not."""
import json
import pathlib
import re
import subprocess
import tempfile

from docslib import page, section, sources
from lib import ROOT, check, equal

schema = json.loads((ROOT / "docs/status.schema.json").read_text())


def fields(part):
    """(name, description) of all fields of a part of the schema."""
    for name, one in part.get("properties", {}).items():
        yield name, one.get("description")
        for inner in (one, one.get("items", {})):
            yield from fields(inner)


every = [field for part in (schema, *schema["definitions"].values()) for field in fields(part)]
names = {name for name, _ in every}
check(len(names) > 80, f"fields: {len(names)}")
equal(sorted(name for name, text in every if not text), [], "fields without a description")

with tempfile.TemporaryDirectory(prefix="muster-test-") as folder:
    path = pathlib.Path(folder) / "status.md"
    subprocess.run([ROOT / "scripts/status-reference", path], check=True)
    equal((ROOT / "docs/status.md").read_text() == path.read_text(), True, "docs/status.md is what scripts/status-reference writes")

text = page("muster-sidecar.8")
told = section(text, "GPUS") + re.search(r"^\.It Pa /status$.*?(?=^\.It Pa /fleet$)", text, re.M | re.S)[0]
words = set(re.findall(r"[a-z_]{2,}", told))
equal(sorted(names - words), [], "fields that are not in muster-sidecar.8")
items = {word for line in re.findall(r"^\.It Sy (.*)", told, re.M) for word in line.split(" , ")}
equal(sorted(items - names), [], "fields of muster-sidecar.8 that are not in the schema")

code = sources("sidecar")
equal(sorted(name for name in names if f'"{name}"' not in code), [], "fields of the schema that are not in the sources")
