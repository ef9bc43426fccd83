"""FHIR's own search parameters: names with modifiers and chains, as a request writes them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.fhir.tables import release
from interlock.fhir.tables.search import SearchName
from interlock.fhir.tables.unknown import Unknown
from interlock.model.facts import FhirRelease
from tiers import rounds

R4 = release("R4")


def resolved(resource: str, name: str, fhir: FhirRelease = "R4") -> SearchName:
    found = release(fhir).parameter(resource, name)
    assert isinstance(found, SearchName), found
    return found


@pytest.mark.parametrize(
    ("resource", "name", "base", "code", "kind", "on", "links"),
    [
        ("Condition", "code", "code", "code", "token", "Condition", ""),
        ("Condition", "code:in", "code", "code", "token", "Condition", ""),
        ("Condition", "_id", "_id", "_id", "token", "Condition", ""),
        ("Condition", "_lastUpdated", "_lastUpdated", "_lastUpdated", "date", "Condition", ""),
        ("Condition", "_text", "_text", "_text", "string", "Condition", ""),
        ("Condition", "_count", "_count", "_count", "", "Condition", ""),
        ("Observation", "patient.identifier", "patient", "identifier", "token", "Group|Patient", "patient"),
        ("Observation", "subject:Patient.name", "subject", "name", "string", "Patient", "subject"),
        ("Observation", "subject:Patient.name:exact", "subject", "name", "string", "Patient", "subject"),
        ("Observation", "subject:Patient", "subject", "subject", "reference", "Observation", ""),
        (
            "Observation",
            "encounter.service-provider.name:contains",
            "encounter",
            "name",
            "string",
            "Organization",
            "encounter|service-provider",
        ),
        ("Patient", "_has:Observation:patient:code", "_has", "code", "token", "Observation", "patient"),
        (
            "Patient",
            "_has:Observation:patient:_has:AuditEvent:entity:agent",
            "_has",
            "agent",
            "reference",
            "AuditEvent",
            "patient|entity",
        ),
    ],
)
def test_a_name_is_a_base_name_and_what_it_leads_to(
    resource: str, name: str, base: str, code: str, kind: str, on: str, links: str
) -> None:
    found = resolved(resource, name)
    assert (found.name, found.parameter.code, found.parameter.type) == (base, code, kind)
    assert "|".join(found.on) == on
    assert "|".join(link.code for link in found.links) == links


def test_a_chain_without_a_type_leads_to_every_type_that_has_the_parameter() -> None:
    found = resolved("Observation", "subject.identifier")
    assert {"Patient", "Device", "Location"} <= set(found.on)


@pytest.mark.parametrize(
    ("fhir", "name", "allowed", "section"),
    [
        ("R4", "code:in", True, "https://hl7.org/fhir/R4/search.html#token"),
        ("R4", "code:text", True, "https://hl7.org/fhir/R4/search.html#token"),
        ("R4", "code:exact", False, "https://hl7.org/fhir/R4/search.html#modifiers"),
        ("R4", "onset-date:missing", True, "https://hl7.org/fhir/R4/search.html#modifiers"),
        ("R4", "onset-date:exact", False, "https://hl7.org/fhir/R4/search.html#modifiers"),
        ("R4", "identifier:of-type", True, "https://hl7.org/fhir/R4/search.html#token"),
        ("R4", "identifier:ofType", True, "https://hl7.org/fhir/R4/search.html#token"),
        ("R4", "subject:identifier", True, "https://hl7.org/fhir/R4/search.html#reference"),
        ("R4", "subject:Patient", True, "https://hl7.org/fhir/R4/search.html#reference"),
        ("R4", "_include:iterate", True, "https://hl7.org/fhir/R4/search.html#include"),
        ("R5", "code:code-text", True, "https://hl7.org/fhir/R5/search.html#modifiercodetext"),
        ("R4B", "code:in", None, ""),
        ("STU3", "code:in", None, ""),
    ],
)
def test_a_modifier_is_allowed_or_not_or_was_not_read(
    fhir: FhirRelease, name: str, allowed: bool | None, section: str
) -> None:
    found = resolved("Condition", name, fhir)
    assert (found.modifier_allowed, found.section) == (allowed, section)
    assert found.modifier == name.partition(":")[2]


@pytest.mark.parametrize(
    ("resource", "name", "kind", "wrong", "near"),
    [
        ("Pateint", "code", "type", "Pateint", "Patient"),
        ("Condition", "cod", "parameter", "cod", "code"),
        ("Condition", "onsetdate", "parameter", "onsetdate", "onset-date"),
        ("Condition", "code:inn", "modifier", "inn", "in"),
        ("Condition", "subject:Pateint", "modifier", "Pateint", "Patient"),
        ("Condition", "subject:Observation", "type", "Observation", None),
        ("Condition", "subject:Pateint.name", "type", "Pateint", "Patient"),
        ("Condition", "patient.identifer", "parameter", "identifer", "identifier"),
        ("Condition", "code.display", "parameter", "display", None),
        ("Patient", "_has:Observaton:patient:code", "type", "Observaton", "Observation"),
        ("Patient", "_has:Observation:patiennt:code", "parameter", "patiennt", "patient"),
        ("Patient", "_has:Observation:encounter:code", "parameter", "encounter", None),
        ("Patient", "_has:Observation:patient", "parameter", "", None),
        ("Condition", "_cuont", "parameter", "_cuont", "_count"),
    ],
)
def test_a_misspelt_name_says_which_may_be_meant(
    resource: str, name: str, kind: str, wrong: str, near: str | None
) -> None:
    found = R4.parameter(resource, name)
    assert isinstance(found, Unknown)
    assert (found.kind, found.name) == (kind, wrong)
    if near is not None:
        assert found.near[0] == near


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            ":",
            "code:",
            ":in",
            "code:in:not",
            "patient.",
            ".name",
            "_has",
            "_has:",
            "_has:::",
            "code.code.code",
        ),
        "patient." * 500 + "name",
        "_has:Observation:subject:" * 60 + "code",
        "x" * 100_000,
        "subject" + ".subject" * 8,
    ],
)
def test_what_is_no_name_is_unknown_or_resolved(name: str) -> None:
    found = R4.parameter("Observation", name)
    assert isinstance(found, Unknown) or name == "_has"


def test_no_prefix_has_a_wrong_type_of_parameter() -> None:
    assert resolved("Observation", "date").parameter.comparators == (
        "eq",
        "ne",
        "gt",
        "ge",
        "lt",
        "le",
        "sa",
        "eb",
        "ap",
    )
    assert resolved("Condition", "evidence-detail").parameter.reaches("Observation")
    assert not resolved("Condition", "patient").parameter.reaches("Observation")
    assert resolved("Condition", "code").parameter.definition == "http://hl7.org/fhir/SearchParameter/clinical-code"


@given(
    st.sampled_from(["DSTU2", "STU3", "R4", "R4B", "R5"]),
    st.sampled_from(["Observation", "Patient", "Nothing"]),
    st.one_of(
        st.text(max_size=40), st.from_regex(r"(_has|subject|patient|code|name|[a-zA-Z]{0,3}|:|\.){0,9}", fullmatch=True)
    ),
)
@settings(max_examples=rounds(150, 5_000))
def test_garbage_is_unknown_or_resolved(fhir: FhirRelease, resource: str, name: str) -> None:
    found = release(fhir).parameter(resource, name)
    assert isinstance(found, SearchName | Unknown)
