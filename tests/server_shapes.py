"""Documents of servers as vendors run them, made from the shapes in tests/shapes: facts only, in our own writing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

SHAPES = Path(__file__).parent / "shapes"
#: Lists of a resource: their short name in a shape, and FHIR's.
_LISTS = {
    "include": "searchInclude",
    "revinclude": "searchRevInclude",
    "profile": "supportedProfile",
    "policy": "referencePolicy",
}
NAMES = tuple(sorted(path.stem for path in SHAPES.glob("*.yaml")))


def documents(name: str) -> dict[str, dict[str, Any]]:
    """A server's documents by name: ``metadata``, ``smart-configuration``, ``openid-configuration``."""
    shape = yaml.safe_load((SHAPES / f"{name}.yaml").read_text("utf-8"))
    made = {key: shape[key] for key in ("smart-configuration", "openid-configuration") if key in shape}
    if "statement" in shape:
        release = shape["statement"]["fhirVersion"]
        resources = [_resource(shape.get("every_resource", {}) | entry, release) for entry in shape["resources"]]
        statement = shape["statement"]
        made["metadata"] = statement | {"rest": [statement["rest"] | {"resource": resources}]}
    return made


def _resource(entry: dict[str, Any], release: str) -> dict[str, Any]:
    flags = {key: entry[key] for key in entry if key.startswith(("version", "read", "update", "conditional"))}
    resource: dict[str, Any] = {"type": entry["type"]} | flags
    if "base" in entry:
        resource["profile"] = {"reference": entry["base"]} if release < "4" else entry["base"]
    resource["interaction"] = [{"code": code} for code in _words(entry["can"])]
    resource["searchParam"] = [
        {"name": name, "type": kind} if kind else {"name": name}
        for name, _, kind in (word.rpartition(":") for word in _words(entry["by"]))
    ]
    names = {
        "include": "searchInclude",
        "revinclude": "searchRevInclude",
        "profile": "supportedProfile",
        "policy": "referencePolicy",
    }
    resource |= {names[key]: entry[key] for key in names if key in entry}
    if "operation" in entry:
        definition = "http://hl7.org/fhir/OperationDefinition/"
        resource["operation"] = [
            {"name": name, "definition": f"{definition}{entry['type']}-{name.lstrip('$')}"}
            for name in entry["operation"]
        ]
    return {key: value for key, value in resource.items() if value != []}


def _words(text: str) -> list[str]:
    return [] if text == "-" else text.split()


def write(folder: Path) -> Path:
    """A folder for each server with its documents as files, laid out as the recorded ones of INTERLOCK_CORPUS are."""
    for name in NAMES:
        home = folder / name
        home.mkdir(parents=True)
        for document, content in documents(name).items():
            (home / f"{document}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
