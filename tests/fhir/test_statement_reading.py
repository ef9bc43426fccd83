"""A statement that was sifted reads as the whole one does, or is left to Python's own parser."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.fhir.capability import Statement, decode, tolerate
from interlock.fhir.statement import MAX_PARAMETERS
from interlock.fhir.tolerant import MAX_CODE
from tiers import rounds

pytestmark = pytest.mark.fast

PATIENT = {
    "type": "Patient",
    "documentation": "Everything about people “here”",
    "interaction": [{"code": "read", "documentation": "by id"}, {"code": "search-type"}],
    "searchParam": [{"name": "name", "type": "string"}, {"name": "birthdate", "type": "date"}],
    "supportedProfile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|7.0.0"],
    "operation": [{"name": "$everything", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything"}],
    "versioning": "versioned",
}


def document(*resources: Any, **rest: Any) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "text": {"status": "generated", "div": "<div>Long, and read by nobody</div>"},
        "status": "active",
        "fhirVersion": "4.0.1",
        "software": {"name": "Sample EHR", "version": "1"},
        "rest": [{"mode": "server", "resource": list(resources), **rest}],
    }


def agreed(value: object) -> Statement | None:
    """The statement in a value's text, after a look that the whole value gives the same."""
    sifted = decode(json.dumps(value))
    assert sifted is None or sifted == tolerate(value)
    return sifted


def test_recordings_are_sifted(servers: Path) -> None:
    files = sorted(servers.glob("*/metadata.json"))
    assert len(files) >= 8
    for file in files:
        assert agreed(json.loads(file.read_text("utf-8-sig"))) is not None, file


def test_what_is_read() -> None:
    statement = agreed(document(PATIENT, operation=[{"name": "export"}], interaction=[{"code": "batch"}]))
    assert statement is not None
    facts = statement.facts.resources["Patient"]
    assert facts.interactions == ("read", "search-type")
    assert facts.search_params == ("name", "birthdate")
    assert facts.operations == ("everything",)
    assert [(place, one.name) for place, one in statement.operations] == [("Patient", "$everything"), (None, "export")]
    assert statement.modes == {0: "server"}
    assert "text" not in statement.members
    assert statement.facts.system_interactions == ("batch",)


@pytest.mark.parametrize(
    "value",
    [
        document(PATIENT, PATIENT),
        document(PATIENT | {"searchParam": [{"name": "name"}, {"name": "name"}]}),
        document(PATIENT, searchParam=[{"name": "_id"}]),
        document(PATIENT | {"profile": {"reference": "http://example.org/StructureDefinition/x"}}),
        document({"type": "Group"}, transactionMode="both"),
        document(PATIENT, security={"cors": True, "service": [{"coding": [{"code": "SMART-on-FHIR"}]}]}),
        {**document(PATIENT), "rest": [{"mode": "client", "resource": [{"type": 7}]}, *document(PATIENT)["rest"]]},
        {"resourceType": "Conformance", "fhirVersion": "1.0.2"},
    ],
    ids=["twice", "repeats", "everywhere", "reference", "transaction", "security", "client", "no-rest"],
)
def test_unusual_and_agreed(value: dict[str, Any]) -> None:
    assert agreed(value) == tolerate(value)


@pytest.mark.parametrize(
    "value",
    [
        document(PATIENT | {"searchParam": [{"name": " name"}]}),
        document(PATIENT | {"searchParam": [{"name": "名前"}]}),
        document(PATIENT | {"searchParam": [{"name": ""}]}),
        document(PATIENT | {"searchParam": [{"name": "x" * (MAX_CODE + 1)}]}),
        document(PATIENT | {"searchParam": [{"name": f"p{n}"} for n in range(MAX_PARAMETERS + 1)]}),
        document(PATIENT | {"searchParam": {"name": "one"}}),
        document(PATIENT | {"interaction": None}),
        document(PATIENT | {"interaction": ["read"]}),
        document(PATIENT | {"operation": [{"name": "export", "definition": {"display": "no reference"}}]}),
        document(PATIENT | {"type": 7}),
        document("Patient"),
        document(PATIENT, security=[]),
        document(PATIENT, mode="server "),
        {"resourceType": "CapabilityStatement", "rest": "none"},
    ],
)
def test_damaged_and_agreed(value: dict[str, Any]) -> None:
    assert agreed(value) == tolerate(value)


@pytest.mark.parametrize("wrong", ['"\ud800"', "1e999"])
def test_what_is_left_to_pythons_parser(wrong: str) -> None:
    text = json.dumps(document(PATIENT)).replace('"Sample EHR"', wrong)
    assert decode(text) is None
    assert tolerate(json.loads(text)).facts.resources


@pytest.mark.parametrize("value", [[], 7, None, "text", {}, {"resourceType": "Bundle"}, {"resourceType": ["x"]}])
def test_no_statement(value: object) -> None:
    assert agreed(value) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"resourceType": "CapabilityStatement", "name": "\ud800"}',
        '{"resourceType": "CapabilityStatement"} x',
        '{"a": "\n"}',
        "[" * 100_000,
        "\ufeff{}",
        "{'a': 1}",
    ],
)
def test_no_json(text: str) -> None:
    assert decode(text) is None


def test_what_nobody_reads_may_be_anything_valid() -> None:
    unread = ', "x": [' + "7" * 10_000 + ', 1e999, {"deep": [[[[]]]]}]'
    text = json.dumps(document(PATIENT))[:-1] + unread + "}"
    assert decode(text) == decode(json.dumps(document(PATIENT)))


def test_invalid_text_is_seen_where_nobody_reads() -> None:
    good = json.dumps(document(PATIENT))
    for wrong in ("\n", "\\q", "\\u12"):
        assert decode(good.replace("by id", f"by {wrong} id")) is None


def test_entries_that_statements_share_stay_apart() -> None:
    plain, changed = document(PATIENT), document(PATIENT, searchParam=[{"name": "_lastUpdated"}])
    for value in (plain, changed, document(PATIENT, PATIENT | {"versioning": None}), plain):
        assert agreed(value) == tolerate(value)
    statement = agreed(plain)
    assert statement is not None
    assert "_lastUpdated" not in statement.facts.resources["Patient"].search_params


ODD = st.sampled_from([None, True, 7, -1.5, "", " ", "read", " read", "x" * 200, "Ä", [], {}, ["read"], {"name": "x"}])


@settings(max_examples=rounds(80, 200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_statements(data: st.DataObject) -> None:
    value = copy.deepcopy(
        document(PATIENT, {"type": "Group", "interaction": [{"code": "read"}]}, operation=[{"name": "export"}])
    )
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(value, data)
    agreed(value)


def spoil(value: Any, data: st.DataObject) -> None:
    """Replace, remove or repeat one thing somewhere."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(value[key], dict | list) and data.draw(st.booleans()):
            value = value[key]
            continue
        change = data.draw(st.sampled_from(["replace", "remove", "repeat"]))
        if change == "remove":
            del value[key]
        elif change == "repeat" and isinstance(value, list):
            value.append(copy.deepcopy(value[key]))
        else:
            value[key] = copy.deepcopy(data.draw(ODD))
        return
