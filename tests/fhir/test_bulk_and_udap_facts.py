"""Bulk export and UDAP metadata as facts."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.fhir import bulk, udap
from interlock.fhir.capability import tolerate
from interlock.model.facts import BulkFacts

pytestmark = pytest.mark.fast

BASE = "https://ehr.example.org/fhir"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
GUIDE = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"


def exports(rest: dict[str, Any], **top: Any) -> BulkFacts:
    document = {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "rest": [{"mode": "server", **rest}],
        **top,
    }
    return bulk.parse(tolerate(document))


@pytest.mark.parametrize(
    ("rest", "levels", "undefined"),
    [
        ({}, (), False),
        ({"operation": [{"name": "export", "definition": f"{GUIDE}/export"}]}, ("system",), False),
        ({"operation": [{"name": "$export", "definition": f"{GUIDE}/group-export|2.0.0"}]}, ("group",), False),
        ({"operation": [{"name": "patient-export"}, {"name": "group-export"}]}, ("patient", "group"), True),
        (
            {"resource": [{"type": "Group", "operation": [{"name": "$export"}]}, {"type": "Patient"}]},
            ("group",),
            True,
        ),
        ({"operation": [{"name": "export", "definition": {"reference": f"{GUIDE}/export"}}]}, ("system",), False),
        ({"operation": [{"name": "everything"}, {"name": 7}, "x"]}, (), False),
        ({"operation": [{"name": "my-export-report"}]}, (), False),
    ],
)
def test_levels(rest: dict[str, Any], levels: tuple[str, ...], undefined: bool) -> None:
    found = exports(rest)
    assert (found.exports, found.undefined) == (levels, undefined)


def test_instantiates() -> None:
    assert exports({}, instantiates=[f"{bulk.STATEMENT}|2.0.0"]).instantiates
    assert not exports({}, instantiates=["http://example.org/other"]).instantiates


def jwt(header: object, claims: object) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in (header, claims))
    return ".".join((*parts, "c2ln"))


HEADER = {"alg": "RS256", "x5c": ["MII"]}
CLAIMS = {
    "iss": BASE,
    "sub": BASE,
    "iat": NOW.timestamp() - 60,
    "exp": NOW.timestamp() + 86_400,
    "jti": "1",
    "token_endpoint": "https://auth.example.org/token",
}


def document(**changes: Any) -> dict[str, Any]:
    return {
        "udap_versions_supported": ["1"],
        "udap_profiles_supported": ["udap_dcr", "udap_authn"],
        "token_endpoint": "https://auth.example.org/token",
        "signed_metadata": jwt(HEADER, CLAIMS),
    } | changes


def test_udap_fields_as_published() -> None:
    facts = udap.parse(document(), BASE, NOW)
    assert facts.udap_profiles_supported == ("udap_dcr", "udap_authn")
    assert facts.udap_certifications_supported is None
    assert (facts.signed, facts.signed_problems) == (True, ())


@pytest.mark.parametrize(
    ("header", "claims", "word"),
    [
        ({"alg": "ES256"}, {}, "RS256"),
        ({"x5c": []}, {}, "x5c"),
        ({}, {"sub": "https://other"}, "not the same"),
        ({}, {"iss": "https://other", "sub": "https://other"}, "another base"),
        ({}, {"jti": None}, "jti is missing"),
        ({}, {"exp": NOW.timestamp() - 1}, "expired"),
        ({}, {"exp": NOW.timestamp() + 2 * 366 * 86_400}, "more than a year"),
        ({}, {"token_endpoint": "https://evil.example/token"}, "other addresses"),
    ],
)
def test_signed_metadata_is_looked_at(header: dict[str, Any], claims: dict[str, Any], word: str) -> None:
    facts = udap.parse(document(signed_metadata=jwt(HEADER | header, CLAIMS | claims)), BASE, NOW)
    assert facts.signed is True
    assert any(word in problem for problem in facts.signed_problems), facts.signed_problems


@pytest.mark.parametrize("value", ["a.b", "a.b.c", "....", 7, jwt([], {}), "x" * 300_000])
def test_no_jwt(value: object) -> None:
    assert udap.parse(document(signed_metadata=value), BASE, NOW).signed is False


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5))
def test_claims_of_any_type(value: Any) -> None:
    claims = dict.fromkeys(CLAIMS, value)
    udap.parse(document(signed_metadata=jwt(dict.fromkeys(HEADER, value), claims)), BASE, NOW).model_dump_json()
