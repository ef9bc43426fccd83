"""The tables' files: small, quick, as they were locked, and row for row what the verified tables say."""

from __future__ import annotations

import csv
import gzip
import importlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import tables as script

from interlock.fhir.tables import Release, differences, release, us_core
from interlock.fhir.tables.elements import Element
from interlock.fhir.tables.files import DATA, SEARCH_PARAMETERS, About
from interlock.fhir.tables.us_core import EDITIONS
from interlock.model.facts import FhirRelease
from tiers import rounds

ROOT = Path(__file__).resolve().parents[2]
RELEASES = get_args(FhirRelease)


def test_all_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 500_000


@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.name)
def test_every_file_says_from_where_it_is_and_under_which_licence(path: Path) -> None:
    about = About(**json.loads(gzip.decompress(path.read_bytes()))["about"])
    assert all((about.title, about.version, about.licence, about.source))
    assert ("Apache-2.0" in about.licence) <= ("see NOTICE" in about.source)


def test_the_files_are_as_they_were_locked() -> None:
    assert script.check() == []


def test_a_changed_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(DATA, tmp_path / "data")
    monkeypatch.setattr(script, "DATA", tmp_path / "data")
    assert script.check() == []
    path = tmp_path / "data" / "smart.json.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(text.replace("launch-ehr", "launch-her").encode()))
    assert script.check() == ["smart: other rows than when it was locked"]
    path.unlink()
    (tmp_path / "data" / "more.json.gz").write_bytes(gzip.compress(b"{}"))
    assert script.check() == ["more: not in the lock", "smart: missing"]


def test_nothing_is_read_before_it_is_asked_for() -> None:
    code = (
        "import sys, gzip\n"
        "gzip.decompress = None\n"
        "import interlock.fhir.tables, interlock.probe.checks.registry, interlock.cli.main\n"
        "interlock.fhir.tables.release\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def verified() -> Path:
    """The verified tables that the files were made from; the test is skipped where they are not at hand."""
    path = Path(os.environ.get("INTERLOCK_TABLES", ROOT.parent / "shared" / "references" / "tables"))
    if not path.is_dir():
        pytest.skip(f"no verified tables at {path}; INTERLOCK_TABLES names another place")
    return path


def rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    packed = folder / f"{name}.tsv.gz"
    text = gzip.decompress(packed.read_bytes()).decode() if packed.is_file() else (folder / f"{name}.tsv").read_text()
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


def cells(*values: Any) -> list[str]:
    """Values as the verified tables write them."""
    return ["|".join(value) if isinstance(value, tuple) else str(value) for value in values]


@pytest.mark.parametrize("fhir", RELEASES)
def test_every_element_is_as_verified(verified: Path, fhir: FhirRelease) -> None:
    tables = release(fhir)
    for row in rows(verified, f"{fhir}/elements"):
        found = tables.element(row["path"])
        assert isinstance(found, Element), row
        if "." not in row["path"]:
            continue
        binding = found.binding
        assert cells(
            found.min,
            "*" if found.max is None else found.max,
            found.types,
            found.targets,
            found.canonical_targets,
            found.content_reference,
            binding.strength if binding else "",
            binding.value_set if binding else "",
            int(found.is_modifier),
            int(found.is_summary),
        ) == [
            row[column]
            for column in (
                "min",
                "max",
                "types",
                "reference_targets",
                "canonical_targets",
                "content_reference",
                "binding_strength",
                "binding_value_set",
                "is_modifier",
                "is_summary",
            )
        ], row


@pytest.mark.parametrize("fhir", RELEASES)
def test_every_code_is_as_verified(verified: Path, fhir: FhirRelease) -> None:
    for row in rows(verified, f"{fhir}/coded_elements"):
        if "." not in row["path"]:
            continue
        found = release(fhir).element(row["path"])
        assert isinstance(found, Element) and (binding := found.binding), row
        if row["codes"]:
            assert cells(binding.codes, binding.systems) == [row["codes"], row["systems"]], row


@pytest.mark.parametrize("fhir", RELEASES)
def test_every_search_parameter_is_as_verified(verified: Path, fhir: FhirRelease) -> None:
    tables = release(fhir)
    of = {name: tables.parameters(name) for name in tables.resource_types}
    everything = {(one.base, one.code): one for named in of.values() for one in named.values()}
    seen = 0
    for row in rows(verified, f"{fhir}/search_parameters"):
        one = everything[row["base"], row["code"]]
        targets = tables.resource_types if one.targets == ("Resource",) else one.targets
        assert one.definition == SEARCH_PARAMETERS + row["definition_id"]
        assert cells(one.type, one.comparators, one.modifiers, one.chain) == [
            row[column] for column in ("type", "comparators", "modifiers", "chain")
        ], row
        assert sorted(targets) == sorted(row["targets"].split("|") if row["targets"] else ()), row
        assert cells(
            *("" if value is None else str(value).lower() for value in (one.multiple_or, one.multiple_and))
        ) == [
            row["multiple_or"],
            row["multiple_and"],
        ]
        seen += 1
    assert seen == len([one for one in everything.values() if one.base])


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_requirement_of_us_core_is_as_verified(verified: Path, edition) -> None:  # type: ignore[no-untyped-def]
    tables = us_core(edition)

    def of(name: str) -> Iterator[dict[str, str]]:
        return (row for row in rows(verified, f"us_core/{name}") if row["edition"] == edition)

    elements = {(profile.id, one.id): one for profile in tables.profiles.values() for one in profile.elements}
    for row in of("elements"):
        one = elements.pop((row["profile_id"], row["element_id"]))
        assert cells(one.path, one.slice, one.mandatory, int(one.must_support), int(one.uscdi), one.pattern) == [
            row[column] for column in ("path", "slice", "mandatory", "must_support", "uscdi_flag", "fixed_or_pattern")
        ]
        assert cells(one.must_support_types, one.must_support_targets, one.value_set) == [
            row["must_support_types"],
            row["must_support_targets"],
            row["binding_value_set"],
        ]
    assert not elements
    for row in of("search_combinations"):
        combinations = {one.parameters: one.verb for one in tables.resources[row["resource"]].combinations}
        assert combinations[tuple(row["params"].split("+"))] == row["verb"]


def stated(fhir: FhirRelease, path: str) -> dict[str, Any]:
    """The fields of the class that ``fhir.resources`` has for a type or an element with children, by JSON name."""
    kind, *deeper = path.split(".")
    package = "fhir.resources" if fhir == "R5" else f"fhir.resources.{fhir}"
    module = importlib.import_module(f"{package}.{kind.lower()}")
    model = getattr(module, kind + "".join(step[0].upper() + step[1:] for step in deeper))
    return {field.alias or name: field for name, field in model.model_fields.items()}


def below(tables: Release, path: str) -> Iterator[tuple[str, Element]]:
    """Every element of a type, with the path above it, as deep as the type itself defines them."""
    for child in tables.children(path):  # type: ignore[union-attr]  # the path is the tables' own
        yield path, child
        if child.path.startswith(f"{path}.") and child.types in {("BackboneElement",), ("Element",)}:
            yield from below(tables, child.path)


def drawn(fhir: FhirRelease) -> list[tuple[str, Element]]:
    """200 elements at random; in tests that are quick, 40 of them."""
    tables = release(fhir)
    types = [name for name, row in sorted(tables.types.items()) if row.kind != "primitive-type" and not row.abstract]
    return random.Random(f"elements of {fhir}").sample(
        [one for name in types for one in below(tables, name)], rounds(40, 200)
    )


def as_stated(fhir: FhirRelease, above: str, element: Element) -> None:
    fields = stated(fhir, above)
    for name in element.json_names:
        field = fields[name]
        extra = field.json_schema_extra or {}
        required = field.is_required() or extra.get("element_required") or extra.get("one_of_many_required") or False
        assert ("List[" in str(field.annotation)) == element.repeats, (above, name)
        assert required == (element.min > 0), (above, name)
        if targets := extra.get("enum_reference_types"):
            assert {*targets} == {*element.targets, *element.canonical_targets}, (above, name)


@pytest.mark.parametrize("fhir", ["STU3", "R4B", "R5"])
def test_elements_are_as_fhir_resources_has_them(fhir: FhirRelease) -> None:
    """At random, against classes that somebody else generated from the specification."""
    for above, element in drawn(fhir):
        as_stated(fhir, above, element)


def test_r4_is_as_fhir_resources_has_r4b_but_for_the_named_differences() -> None:
    r4, r4b = release("R4"), release("R4B")
    compared = 0
    for above, element in (elements := drawn("R4")):
        path = f"{above}.{element.name}"
        if not differences(r4, r4b, [path]):
            as_stated("R4B", above, element)
            compared += 1
    assert compared > len(elements) * 0.75
