"""`make sbom`: what an installation runs with, valid, complete and the same each time."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import referencing

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = files("cyclonedx.schema") / "_res"


def made(out: Path, **environment: str) -> bytes:
    script = ROOT / "scripts" / "sbom.py"
    subprocess.run([sys.executable, script, out], check=True, capture_output=True, env=os.environ | environment)
    return out.read_bytes()


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return made(tmp_path_factory.mktemp("sbom") / "bill.json", SOURCE_DATE_EPOCH="1700000000")


def test_it_is_valid_by_the_schema_of_cyclonedx(bill: bytes) -> None:
    def schema(name: str) -> dict:
        return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))

    registry = referencing.Registry().with_resources(
        (f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", referencing.Resource.from_contents(schema(name)))
        for name in ("spdx", "jsf-0.82", "cryptography-defs")
    )
    whole = schema("bom-1.6")
    validator = jsonschema.Draft7Validator(whole, registry=registry)
    validator.validate(json.loads(bill))
    assert not validator.is_valid(json.loads(bill) | {"components": [{"name": "x"}]})


def test_it_names_every_package_that_is_needed_with_its_version_and_licence(bill: bytes) -> None:
    parts = {part["name"]: part for part in json.loads(bill)["components"]}
    assert all(part["version"] == version(name) for name, part in parts.items())
    assert [name for name, part in parts.items() if not part.get("licenses")] == []
    assert {"pydantic-core", "weasyprint", "textual-serve", "fhir-resources", "keyring"} <= parts.keys()
    assert {"pytest", "hypothesis", "interlock"} & parts.keys() == set()


def test_what_is_named_is_pinned(bill: bytes) -> None:
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    assert {part["name"]: part["version"] for part in json.loads(bill)["components"]}.items() <= pins.items()


def test_the_same_installation_gives_the_same_bytes(bill: bytes, tmp_path: Path) -> None:
    assert made(tmp_path / "again.json", SOURCE_DATE_EPOCH="1700000000", PYTHONHASHSEED="7", TZ="Asia/Tokyo") == bill
    assert made(tmp_path / "later.json", SOURCE_DATE_EPOCH="1700000001") != bill


def test_the_script_is_there_for_make() -> None:
    assert importlib.util.find_spec("cyclonedx") is not None
    assert re.search(r"^sbom:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
