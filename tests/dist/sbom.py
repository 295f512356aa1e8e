# SPDX-License-Identifier: MIT
"""Each archive's SPDX document is valid, names every file that is packed and no other, with its checksums, and each
library that the programs are linked with; one in which anything of that is wrong would be seen."""
import copy
import hashlib
import json
import pathlib
import tempfile

from distlib import DIST, VERSION, archive, unpack
from lib import Failure, check, contains, equal, skip

try:
    import jsonschema
except ImportError:
    skip("needs python3-jsonschema")

SCHEMA = json.loads((pathlib.Path(__file__).parent / "spdx.schema.json").read_text())
STATIC = {"muster-init": {"libc6-dev", "libinih-dev", "libseccomp-dev"}, "musterctl": {"libc6-dev", "libinih-dev", "libyaml-dev"}}
DYNAMIC = {"libc6", "libc-ares2", "libcurl4", "libinih1", "libjansson4", "libmicrohttpd12", "libseccomp2"}


def digests(path):
    return {kind.upper(): hashlib.new(kind, path.read_bytes()).hexdigest() for kind in ("sha1", "sha256")}


def judge(document, tree):
    """Fails when the document is not valid, or not of that tree."""
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    files = {entry["fileName"]: {sum["algorithm"]: sum["checksumValue"] for sum in entry["checksums"]}
             for entry in document["files"]}
    equal(files, {f"./{path.relative_to(tree)}": digests(path) for path in tree.rglob("*")
                  if path.is_file() and not path.is_symlink()}, "files")
    everything = [document, *document["packages"], *document["files"]]
    known = {entry["SPDXID"] for entry in everything}
    equal(len(known), len(everything), "identifiers")
    related = document["relationships"]
    named = {entry[end] for entry in related for end in ("spdxElementId", "relatedSpdxElement")}
    equal(named, known, "what is related")
    muster = document["packages"][0]
    equal((muster["name"], muster["versionInfo"]), ("muster", VERSION), "the first package")
    equal({entry["relatedSpdxElement"] for entry in related if entry["relationshipType"] == "CONTAINS"},
          {entry["SPDXID"] for entry in document["files"]}, "what muster contains")
    sums = "".join(sorted(entry["SHA1"] for entry in files.values()))
    equal(muster["packageVerificationCode"]["packageVerificationCodeValue"], hashlib.sha1(sums.encode()).hexdigest(),
          "verification code")


def linked(document, kind, program):
    names = {entry["SPDXID"]: entry for entry in document["packages"] + document["files"]}
    return {names[entry["relatedSpdxElement"]]["name"] for entry in document["relationships"]
            if entry["relationshipType"] == kind and names[entry["spdxElementId"]]["fileName"] == f"./bin/{program}"}


def judge_links(document):
    for program, wanted in STATIC.items():
        equal({name for name in linked(document, "STATIC_LINK", program) if "gcc" not in name and "cross" not in name}, wanted,
              f"what {program} holds")
        equal(linked(document, "DYNAMIC_LINK", program), set(), f"what {program} loads")
    equal(linked(document, "DYNAMIC_LINK", "muster-sidecar"), DYNAMIC, "what muster-sidecar loads")
    check(all(entry["versionInfo"] and f"@{entry['versionInfo']}?" in entry["externalRefs"][0]["referenceLocator"]
              for entry in document["packages"][1:]), "versions of packages")


def spoil(document, tree):
    """The same with something wrong, each in turn, must not pass."""
    for what, change in (
        ("a file less", lambda it: it["files"].pop()),
        ("another checksum", lambda it: it["files"][0]["checksums"][0].update(checksumValue="0" * 40)),
        ("no namespace", lambda it: it.pop("documentNamespace")),
        ("an unknown licence", lambda it: it["packages"][0].update(licenseDeclared="Shareware")),
        ("a relation to nothing", lambda it: it["relationships"][-1].update(relatedSpdxElement="SPDXRef-Nothing")),
        ("another version of it", lambda it: it.update(spdxVersion="SPDX-1.0")),
    ):
        bad = copy.deepcopy(document)
        change(bad)
        try:
            judge(bad, tree)
        except (Failure, jsonschema.ValidationError):
            continue
        raise Failure(f"a document with {what} passes")


archive()
checked = []
with tempfile.TemporaryDirectory(prefix="muster-sbom-") as temporary:
    for packed in sorted(DIST.glob("muster-*.tar.gz")):
        tree = unpack(packed, pathlib.Path(temporary))
        document = json.loads((DIST / f"{tree.name}.spdx.json").read_text())
        judge(document, tree)
        if "-linux-" in tree.name:
            judge_links(document)
        spoil(document, tree)
        checked.append(tree.name)
contains(" ".join(checked), f"muster-{VERSION}", "documents")
