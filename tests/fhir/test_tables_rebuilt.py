"""What builds the tables again reads the forms that definitions of DSTU2 to R5 have."""

from __future__ import annotations

from typing import Any

import pytest
import structure_definitions as structures
from value_sets import ValueSets

_TYPE = "http://hl7.org/fhir/StructureDefinition/"
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"


def rows(*elements: dict[str, Any], kind: str = "resource") -> dict[str, dict[str, str]]:
    root = {"path": "Thing", "min": 0, "max": "*"}
    definition = {"kind": kind, "snapshot": {"element": [root, *({"min": 0, "max": "1"} | one for one in elements)]}}
    return {row["path"].partition(".")[2]: row for row in structures.elements(definition)}


@pytest.mark.parametrize(
    ("kinds", "types", "targets", "canonical"),
    [
        ([{"code": "Reference", "profile": [_TYPE + "B", _TYPE + "A"]}], "Reference", "A|B", ""),
        ([{"code": "Reference", "targetProfile": _TYPE + one} for one in "BA"], "Reference", "A|B", ""),
        ([{"code": "Reference", "targetProfile": [_TYPE + "A", _TYPE + "B"]}], "Reference", "A|B", ""),
        ([{"code": "canonical", "targetProfile": [_TYPE + "A|4.0"]}, {"code": "uri"}], "canonical|uri", "", "A"),
        ([{"code": "Quantity", "profile": [_TYPE + "SimpleQuantity"]}], "Quantity", "", ""),
    ],
)
def test_references_are_read_in_the_forms_of_each_release(
    kinds: list[dict[str, Any]], types: str, targets: str, canonical: str
) -> None:
    row = rows({"path": "Thing.of", "type": kinds})["of"]
    assert (row["types"], row["reference_targets"], row["canonical_targets"]) == (types, targets, canonical)


def test_ids_and_addresses_have_the_types_that_fhir_gives_them() -> None:
    system = {"code": "http://hl7.org/fhirpath/System.String", "extension": [{"url": _FHIR_TYPE, "valueUrl": "uri"}]}
    of_resource = rows({"path": "Thing.id", "type": [system]}, {"path": "Thing.url", "type": [system]})
    assert (of_resource["id"]["types"], of_resource["url"]["types"]) == ("id", "uri")
    for kind in (system, {"code": "id"}, {"_code": {}}):
        assert rows({"path": "Thing.id", "type": [kind]}, kind="complex-type")["id"]["types"] == "string"


@pytest.mark.parametrize(
    "binding",
    [
        {"valueSetReference": {"reference": "urn:a"}},
        {"valueSetUri": "urn:a"},
        {"valueSet": "urn:a|4.0.1"},
    ],
)
def test_bindings_and_reused_content_are_read_in_the_forms_of_each_release(binding: dict[str, Any]) -> None:
    read = rows(
        {"path": "Thing.a", "name": "named", "binding": {"strength": "required"} | binding},
        {"path": "Thing.b", "nameReference": "named"},
        {"path": "Thing.c", "contentReference": "http://hl7.org/fhir/StructureDefinition/Thing#Thing.a"},
    )
    assert (read["a"]["binding_strength"], read["a"]["binding_value_set"]) == ("required", "urn:a")
    assert read["b"]["content_reference"] == read["c"]["content_reference"] == "Thing.a"


def test_a_list_of_codes_is_told_only_when_all_of_it_is_there() -> None:
    tree = [
        {"code": "a", "concept": [{"code": "a1"}, {"code": "a2", "concept": [{"code": "a3"}]}]},
        {"code": "group", "property": [{"code": "notSelectable", "valueBoolean": True}], "concept": [{"code": "b"}]},
    ]

    def is_a(code: str, operation: str = "is-a") -> dict[str, Any]:
        return {"system": "urn:s", "filter": [{"property": "concept", "op": operation, "value": code}]}

    composed: dict[str, dict[str, Any]] = {
        "all": {"include": [{"system": "urn:s"}]},
        "below": {"include": [is_a("a", "descendent-of")]},
        "less": {"include": [is_a("a")], "exclude": [is_a("a2")]},
        "imported": {"import": ["below"], "include": [{"system": "urn:t", "concept": [{"code": "c"}]}]},
        "both": {"include": [{"valueSet": ["all"]}, {"system": "urn:s", "valueSet": ["less"]}]},
        "foreign": {"include": [{"system": "urn:not-here"}]},
        "in part": {"include": [{"system": "urn:s"}], "import": ["foreign"]},
        "circle": {"import": ["circle"]},
        "by pattern": {"include": [is_a("a", "regex")]},
    }
    resources = [{"resourceType": "CodeSystem", "url": "urn:s", "concept": tree}]
    resources += [{"resourceType": "ValueSet", "url": name, "compose": one} for name, one in composed.items()]
    inline = {"system": "urn:u", "concept": [{"code": "x"}, {"code": "y", "abstract": True}]}
    resources.append({"resourceType": "ValueSet", "url": "inline", "codeSystem": inline})
    sets = ValueSets({"entry": [{"resource": one} for one in resources]})
    found = {
        name: "|".join(codes) if (codes := sets.codes(name)) is not None else None for name in (*composed, "inline")
    }
    assert found == {
        "all": "a|a1|a2|a3|b",
        "below": "a1|a2|a3",
        "less": "a|a1",
        "imported": "a1|a2|a3|c",
        "both": "a|a1|a2|a3|b",
        "foreign": None,
        "in part": None,
        "circle": None,
        "by pattern": None,
        "inline": "x",
    }
