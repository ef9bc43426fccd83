"""The checks of US Core and certification, and what they say of statements like those of today's servers."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from probe_documents import smart
from probe_judging import answered, judged

from interlock.fhir.tables.us_core import PROFILES
from interlock.model.observation import Check
from us_core_statements import whole_statement

pytestmark = pytest.mark.fast

ORGANIZATIONS = Path(__file__).parents[2] / "samples" / "organizations"


def results(document: dict[str, Any], configuration: dict[str, Any] | None = None) -> dict[str, Check]:
    checks = judged({"metadata": answered("metadata", document), "smart": answered("smart", configuration or smart())})
    return {name: one for name, one in checks.items() if one.id.startswith("USC")}


def changed(name: str, edition: Any = "6.1.0", **lists: Any) -> dict[str, Any]:
    """A whole statement with lists of one type changed."""
    document = copy.deepcopy(whole_statement(edition))
    entry = next(one for one in document["rest"][0]["resource"] if one["type"] == name)
    entry.update(lists)
    return document


def test_a_server_that_does_not_name_us_core_is_asked_nothing() -> None:
    document = whole_statement("6.1.0") | {"instantiates": []}
    for entry in document["rest"][0]["resource"]:
        entry["supportedProfile"] = []
    assert {one.outcome.value for one in results(document).values()} == {"not_applicable"}


def test_an_edition_or_a_profile_that_does_not_exist_is_named() -> None:
    odd = changed("Goal", supportedProfile=[f"{PROFILES}us-core-gaol|6.1.0"])
    assert "us-core-gaol" in results(odd)["USC-001"].message and results(odd)["USC-001"].outcome.value == "warn"
    odd = changed("Goal", supportedProfile=[f"{PROFILES}us-core-goal|61"])
    assert "“61”" in results(odd)["USC-001"].message
    bare = whole_statement("6.1.0", version=False)
    assert results(bare)["USC-001"].outcome.value == "not_observed"
    assert "6.1.0, 7.0.0 or 8.0.0" in results(bare)["USC-001"].message


def test_a_row_that_the_claimed_edition_requires_fails_and_of_the_closest_one_warns() -> None:
    parameters = [{"name": "_id", "type": "token"}]
    assert results(changed("Goal", searchParam=parameters))["USC-002"].outcome.value == "fail"
    assert "Goal?patient" in results(changed("Goal", searchParam=parameters))["USC-002"].message
    open_ = whole_statement("6.1.0", version=False)
    next(one for one in open_["rest"][0]["resource"] if one["type"] == "Goal")["searchParam"] = parameters
    assert results(open_)["USC-002"].outcome.value == "warn" and "closest" in results(open_)["USC-002"].message
    assert results(changed("Goal", searchParam=[]))["USC-002"].outcome.value == "not_observed"


def test_a_profile_that_is_not_declared_breaks_nothing() -> None:
    document = changed("Observation", supportedProfile=[f"{PROFILES}us-core-observation-lab|6.1.0"])
    assert results(document)["USC-002"].outcome.value == "pass"


def test_patient_and_one_more_are_enough() -> None:
    document = whole_statement("6.1.0")
    every = document["rest"][0]["resource"]
    document["rest"][0]["resource"] = [one for one in every if one["type"] in {"Patient", "Goal"}]
    two = results(document)["USC-003"]
    assert two.outcome.value == "pass" and "obliges nobody" in two.message
    document["rest"][0]["resource"] = [one for one in every if one["type"] == "Patient"]
    assert results(document)["USC-003"].outcome.value == "fail"
    document["rest"][0]["resource"] = [one for one in every if one["type"] == "Goal"]
    assert "Patient is not among" in results(document)["USC-003"].message


def test_certification_asks_and_does_not_accuse() -> None:
    document = whole_statement("6.1.0")
    short = results(document)["USC-004"]
    assert short.outcome.value == "not_observed" and "no document says" in short.message
    assert "authorize-post" in short.message
    assert results(document, smart(capabilities=None))["USC-004"].outcome.value == "not_observed"


def test_granular_scopes_that_are_not_listed_are_a_question_before_8() -> None:
    for edition, outcome in (
        ("6.1.0", "not_observed"),
        ("7.0.0", "not_observed"),
        ("8.0.0", "fail"),
        ("5.0.1", "not_applicable"),
    ):
        assert results(whole_statement(edition))["USC-005"].outcome.value == outcome, edition  # type: ignore[arg-type]
    assert results(whole_statement("8.0.0"), smart(scopes_supported=None))["USC-005"].outcome.value == "not_observed"


def test_introspection_is_asked_for_from_7_on() -> None:
    assert results(whole_statement("6.1.0"))["USC-006"].outcome.value == "not_applicable"
    assert results(whole_statement("7.0.0"))["USC-006"].outcome.value == "fail"
    named = smart(introspection_endpoint="https://auth.example.org/introspect")
    assert results(whole_statement("7.0.0"), named)["USC-006"].outcome.value == "pass"


#: By hand, from the guide's page for 6.1.0: what Riverside's statement leaves out of the lists that it gives.
RIVERSIDE = {"DiagnosticReport.create", "Location?address", "Organization?address"} | {
    "ServiceRequest?patient&category&authored"
}


def test_what_riverside_lacks_is_what_was_found_by_hand() -> None:
    folder = ORGANIZATIONS / "riverside"
    document = json.loads((folder / "metadata.json").read_bytes())
    exchanges = {"metadata": answered("metadata", document)}
    facts = judged(exchanges)  # type: ignore[arg-type]
    assert facts["USC-002"].outcome.value == "fail"
    assert all(label in facts["USC-002"].message for label in RIVERSIDE) and "leave out 4" in facts["USC-002"].message
