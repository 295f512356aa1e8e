# SPDX-License-Identifier: MIT
"""What the tests of k8s/ share: how manifests are rendered, and what is wrong with objects."""

import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess

try:
    import yaml
except ImportError:
    yaml = None

from lib import BUILD, ROOT, check, skip

from k8slib.fields import KINDS

MANIFESTS = ROOT / "k8s"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "muster-k8s"


# ---- rendering ----


def overlays(folder=MANIFESTS):
    return sorted(path.parent for path in folder.glob("overlays/*/kustomization.yaml"))


def kubectl_knows_kustomize():
    """Whether kubectl's kustomize is one of those that know components: since kubectl 1.21."""
    if not shutil.which("kubectl"):
        return False
    said = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=False)
    try:
        return int(re.match(r"v(\d+)", json.loads(said.stdout)["kustomizeVersion"])[1]) >= 4
    except (ValueError, KeyError, TypeError):
        return False


def kustomize():
    """The words of the command that renders a folder."""
    if kubectl_knows_kustomize():
        return [shutil.which("kubectl"), "kustomize"]
    program = shutil.which("kustomize") or BUILD / "k8s/kustomize"
    if not os.path.exists(program):
        fetch_kustomize()
    return [program, "build"]


def fetch_kustomize():
    (BUILD / "k8s").mkdir(parents=True, exist_ok=True)
    with open(BUILD / "k8s/lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (BUILD / "k8s/kustomize").exists():
            return
        result = subprocess.run([ROOT / "tests/image/get_package.sh", "kustomize", "usr/bin/kustomize", BUILD / "k8s"],
                                capture_output=True, text=True, check=False)
    if result.returncode != 0:
        skip("no kubectl of version 1.21 or later, and no kustomize: "
             f"{(result.stderr.strip().splitlines() or ['no word why'])[-1]}")


def render(folder, command):
    """The text that `kubectl apply -k` would send."""
    result = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    check(result.returncode == 0, f"{' '.join(map(str, command))} {folder}: {result.stderr}")
    check("Warning" not in result.stderr, result.stderr)
    return result.stdout


def load(text):
    """The objects of it."""
    if not yaml:
        skip("Python's yaml is not there (Debian: python3-yaml)")
    return [each for each in yaml.safe_load_all(text) if each]


# ---- our own table ----


WORDS = {str: "text", int: "a whole number", bool: "true or false"}


def mismatches(value, wanted, where):
    """What is wrong with a value, by a type of fields.py."""
    if isinstance(wanted, tuple):
        return closest(value, wanted, where)
    if isinstance(wanted, set):
        return [] if value in wanted else [f"{where}: {value!r} is none of {', '.join(sorted(wanted))}"]
    if isinstance(wanted, list):
        if not isinstance(value, list):
            return [f"{where}: expected a list"]
        return [each for number, item in enumerate(value) for each in mismatches(item, wanted[0], f"{where}[{number}]")]
    if isinstance(wanted, dict):
        return object_mismatches(value, wanted, where)
    return [] if type(value) is wanted else [f"{where}: {value!r}: expected {WORDS[wanted]}"]


def closest(value, types, where):
    """The complaints of the type that has fewest."""
    return min((mismatches(value, each, where) for each in types), key=len)


def object_mismatches(value, wanted, where):
    if not isinstance(value, dict):
        return [f"{where}: expected an object"]
    types = {key.removesuffix("!"): each for key, each in wanted.items()}
    found = [f"{where}: {key.removesuffix('!')} is missing" for key in wanted
             if key.endswith("!") and key.removesuffix("!") not in value]
    for key, each in value.items():
        if key in types or "*" in types:
            found += mismatches(each, types.get(key, types.get("*")), f"{where}.{key}")
        else:
            found.append(f"{where}: unknown field {key}")
    return found


def title(each):
    metadata = each.get("metadata")
    return f"{each.get('kind')} {metadata.get('name') if isinstance(metadata, dict) else '?'}"


def table_problems(objects):
    """Against our own table."""
    found = []
    for each in objects:
        wanted = KINDS.get((each.get("apiVersion"), each.get("kind")))
        if wanted is None:
            found.append(f"{title(each)}: unknown kind {each.get('apiVersion')} {each.get('kind')}")
        else:
            found += mismatches(each, wanted, title(each))
    return found


# ---- Kubernetes' own description ----


class Swagger:
    """The API as api/openapi-spec/swagger.json of Kubernetes describes it."""

    LATER = {("policy/v1", "PodDisruptionBudget"): ("policy/v1beta1", "PodDisruptionBudget")}  # the same but for its name

    def __init__(self, path):
        self.definitions = json.loads(path.read_text())["definitions"]
        # Kubernetes 1.29: native sidecars
        self.definitions["io.k8s.api.core.v1.Container"]["properties"].setdefault("restartPolicy", {"type": "string"})
        self.kinds = {}
        for definition in self.definitions.values():
            for kind in definition.get("x-kubernetes-group-version-kind", []):
                version = f"{kind['group']}/{kind['version']}".lstrip("/")
                self.kinds[version, kind["kind"]] = definition

    def find(self, version, kind):
        """None: it is not Kubernetes' own."""
        return self.kinds.get((version, kind)) or self.kinds.get(self.LATER.get((version, kind)))

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        return schema

    def mismatches(self, value, schema, where):
        schema = self.resolve(schema)
        kind = schema.get("type")
        if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
            return [] if isinstance(value, (int, str)) else [f"{where}: {value!r}: expected a number or text"]
        if kind == "array":
            if not isinstance(value, list):
                return [f"{where}: expected a list"]
            return [each for number, item in enumerate(value)
                    for each in self.mismatches(item, schema["items"], f"{where}[{number}]")]
        if "properties" in schema or kind == "object":
            return self.object_mismatches(value, schema, where)
        types = {"string": str, "integer": int, "boolean": bool, "number": (int, float)}
        quantity = kind == "string" and type(value) is int and not schema.get("format")  # quantities may be numbers
        if kind in types and not quantity and (not isinstance(value, types[kind]) or
                                               kind != "boolean" and isinstance(value, bool)):
            return [f"{where}: {value!r}: expected {kind}"]
        return []

    def object_mismatches(self, value, schema, where):
        if not isinstance(value, dict):
            return [f"{where}: expected an object"]
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        found = [f"{where}: {key} is missing" for key in schema.get("required", []) if key not in value]
        for key, each in value.items():
            if key in properties or others:
                found += self.mismatches(each, properties.get(key, others), f"{where}.{key}")
            elif properties:
                found.append(f"{where}: unknown field {key}")
        return found

    def problems(self, objects):
        found = []
        for each in objects:
            schema = self.find(each.get("apiVersion"), each.get("kind"))
            if schema:
                found += self.mismatches(each, schema, title(each))
            elif each.get("apiVersion") != "monitoring.coreos.com/v1":
                found.append(f"{title(each)}: unknown kind {each.get('apiVersion')} {each.get('kind')}")
        return found

    # ---- our own table against it ----

    def unknown_fields(self):
        """Those of fields.py that are not here."""
        found = []
        for (version, kind), wanted in KINDS.items():
            schema = self.find(version, kind)
            found += self.unknown_in(wanted, schema, kind) if schema else []
        return found

    def unknown_in(self, wanted, schema, where):
        schema = self.resolve(schema)
        if isinstance(wanted, list):
            return self.unknown_in(wanted[0], schema["items"], where)
        if not isinstance(wanted, dict) or "*" in wanted:
            return []
        found = []
        for key, each in wanted.items():
            key = key.removesuffix("!")
            if key not in schema.get("properties", {}):
                found.append(f"{where}.{key}")
            else:
                found += self.unknown_in(each, schema["properties"][key], f"{where}.{key}")
        return found


def swagger():
    """None where `make test-k8s` has not built Kubernetes."""
    path = CACHE / "swagger.json"
    return Swagger(path) if path.exists() else None
