# SPDX-License-Identifier: MIT
"""Answers against the JSON schemas in docs/."""

import json
import pathlib

from lib import ROOT, check, skip


def load(name):
    return json.loads((pathlib.Path(ROOT) / "docs" / f"{name}.schema.json").read_text(encoding="utf-8"))


def resolve(schema, part):
    while "$ref" in part:
        found = schema
        for step in part["$ref"].lstrip("#/").split("/"):
            found = found[step]
        part = found
    return part


def describe(schema, part):
    """The parts of a description: itself, and what it is one of."""
    part = resolve(schema, part)
    return [part] + [resolve(schema, one) for one in part.get("anyOf", ())]


def undescribed(schema, part, value, where):
    """Keys of an answer that the schema does not know."""
    parts = describe(schema, part)
    if isinstance(value, list):
        items = next((one["items"] for one in parts if "items" in one), {})
        for index, item in enumerate(value if items else ()):
            yield from undescribed(schema, items, item, f"{where}[{index}]")
    elif isinstance(value, dict):
        known = {key: one for part in parts for key, one in part.get("properties", {}).items()}
        others = next((one["additionalProperties"] for one in parts if "additionalProperties" in one), None)
        for key, item in value.items():
            if key in known or others is not None:
                yield from undescribed(schema, known.get(key, others), item, f"{where}.{key}")
            else:
                yield f"{where}.{key}"


def check_schema(name, answer, complete=True):
    """The answer is as docs/NAME.schema.json says, and (complete) has no key that is not described there."""
    try:
        import jsonschema
    except ImportError:
        skip("python3-jsonschema is not installed")
    schema = load(name)
    validator = jsonschema.Draft7Validator(schema)
    validator.check_schema(schema)
    errors = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(answer)]
    check(not errors, f"{name}: {errors[:5]}")
    if complete:
        missing = sorted(set(undescribed(schema, schema, answer, "")))
        check(not missing, f"docs/{name}.schema.json does not describe {missing}")
