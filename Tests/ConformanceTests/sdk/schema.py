"""Holds `berth schema` against the configurations of this package, with the jsonschema package of Python.

The schema must be a valid one, take every sample, and take no value of a wrong type at any key of them, nor an unknown key.
"""

import argparse
import copy
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema


def places(value, path=()):
    """Every key and every element of a document: its container, and what it is called there."""
    names = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for name in names:
        yield path + (name,)
        yield from places(value[name], path + (name,))


def changed(document, path, value):
    """A copy with another value in a place."""
    made = copy.deepcopy(document)
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("berth")
    parser.add_argument("samples", type=Path, nargs="+")
    options = parser.parse_args()
    schema = json.loads(subprocess.run([options.berth, "schema"], check=True, capture_output=True, timeout=60).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    takes = jsonschema.Draft202012Validator(schema).is_valid
    wrong, right = [], 0

    def expect(holds, text):
        nonlocal right
        right += holds
        if not holds:
            wrong.append(text)

    for sample in options.samples:
        document = tomllib.loads(sample.read_text())
        errors = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
        expect(not errors, f"{sample.name}: {[error.message for error in errors[:3]]}")
        for path in places(document):
            # Nothing in a configuration is null, a list of numbers or a table with this key.
            for value in (None, [1, 2], {"no such key": 1}):
                if not (value == {"no such key": 1} and path == ("upstream",)):
                    expect(not takes(changed(document, path, value)), f"{sample.name}: {path} took {value}")
    print(json.dumps({"right": right, "wrongCount": len(wrong), "wrong": wrong[:20]}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
