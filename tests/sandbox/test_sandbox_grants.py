"""What a grant allows, by table: level, letter, type, compartment, search constraint."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.sandbox.grants import LETTERS, Context, Grant, User, allows, needed_scope, patients_of

pytestmark = pytest.mark.fast

LAB = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
CLINICIAN = User("clinician", "Practitioner/dr", "s1")
PATIENT = User("patient", "Patient/p1", "s2")


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def observation(patient: str = "p1", category: str = "laboratory", **more: Any) -> dict[str, Any]:
    kind = coded(LAB.split("|")[0], category)
    return {
        "resourceType": "Observation",
        "id": "o",
        "subject": {"reference": f"Patient/{patient}"},
        "category": [kind],
        **more,
    }


P1 = {"resourceType": "Patient", "id": "p1"}
P2 = {"resourceType": "Patient", "id": "p2"}
DOCTOR = {"resourceType": "Practitioner", "id": "dr"}
NOTE = {"resourceType": "DocumentReference", "id": "n", "subject": {"reference": "Patient/p1"}}
STORE = {"DocumentReference/n": NOTE, "Observation/o": observation(), "Observation/o2": observation("p2")}


def grant(scopes: str, patient: str | None = "p1", user: User | None = CLINICIAN) -> Grant:
    return Grant("a", "app", tuple(scopes.split()), 0, user=user, context=Context(patient=patient))


@pytest.mark.parametrize(
    ("scopes", "interaction", "kind", "allowed"),
    [
        ("patient/Observation.r", "read", "Observation", True),
        ("patient/Observation.r", "vread", "Observation", True),
        ("patient/Observation.r", "history-instance", "Observation", True),
        ("patient/Observation.r", "search-type", "Observation", False),
        ("patient/Observation.s", "search-type", "Observation", True),
        ("patient/Observation.s", "history-type", "Observation", True),
        ("patient/Observation.s", "read", "Observation", False),
        ("patient/Observation.c", "create", "Observation", True),
        ("patient/Observation.c", "update", "Observation", False),
        ("patient/Observation.u", "update", "Observation", True),
        ("patient/Observation.u", "patch", "Observation", True),
        ("patient/Observation.d", "delete", "Observation", True),
        ("patient/Observation.cru", "delete", "Observation", False),
        ("patient/Observation.rs", "read", "Condition", False),
        ("patient/*.rs", "read", "Condition", True),
        ("patient/Observation.read", "read", "Observation", True),
        ("patient/Observation.read", "search-type", "Observation", True),
        ("patient/Observation.read", "create", "Observation", False),
        ("patient/Observation.write", "create", "Observation", True),
        ("patient/Observation.write", "delete", "Observation", True),
        ("patient/Observation.write", "read", "Observation", False),
        ("patient/*.*", "delete", "Condition", True),
        ("patient/Observation.sr", "read", "Observation", False),
        ("patient/Observation.r patient/Observation.s", "search-type", "Observation", True),
        ("openid launch/patient", "read", "Patient", False),
        ("", "read", "Patient", False),
        ("user/Observation.rs", "read", "Observation", True),
        ("system/*.rs", "search-type", "Observation", True),
    ],
)
def test_levels_letters_and_types(scopes: str, interaction: str, kind: str, allowed: bool) -> None:
    assert allows(grant(scopes), interaction, kind) is allowed


@pytest.mark.parametrize(
    ("scopes", "resource", "allowed"),
    [
        ("patient/*.cruds", observation("p1"), True),
        ("patient/*.cruds", observation("p2"), False),
        ("patient/*.cruds", observation("p2", performer=[{"reference": "Patient/p1"}]), False),
        ("patient/*.cruds", {"resourceType": "Observation", "id": "nobody"}, False),
        ("patient/*.cruds", {"resourceType": "Observation", "subject": {"reference": "Group/p1"}}, False),
        (
            "patient/*.cruds",
            {"resourceType": "Observation", "subject": {"reference": "http://x/fhir/Patient/p1"}},
            True,
        ),
        ("patient/*.cruds", {"resourceType": "Observation", "subject": {"reference": "Patient/p1/_history/2"}}, True),
        ("patient/*.cruds", P1, True),
        ("patient/*.cruds", P2, False),
        ("patient/*.cruds", {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p1"}}, True),
        ("patient/*.cruds", {"resourceType": "Coverage", "beneficiary": {"reference": "Patient/p2"}}, False),
        ("patient/*.cruds", DOCTOR, True),
        ("patient/*.cruds", {"resourceType": "Provenance", "target": [{"reference": "Observation/o"}]}, True),
        ("patient/*.cruds", {"resourceType": "Provenance", "target": [{"reference": "Observation/o2"}]}, False),
        ("patient/*.cruds", {"resourceType": "Provenance", "target": [{"reference": "Observation/none"}]}, False),
        ("patient/*.cruds", {"resourceType": "Binary", "securityContext": {"reference": "DocumentReference/n"}}, True),
        ("patient/*.cruds", {"resourceType": "Binary", "id": "b"}, False),
        ("user/*.cruds", observation("p2"), True),
        ("system/*.cruds", observation("p2"), True),
        (f"patient/Observation.rs?category={LAB}", observation(), True),
        (f"patient/Observation.rs?category={LAB}", observation("p2"), False),
        (f"patient/Observation.rs?category={LAB}", observation(category="vital-signs"), False),
        ("patient/Observation.rs?category=laboratory", observation(), True),
        (
            "patient/Observation.rs?category=http%3A//terminology.hl7.org/CodeSystem/observation-category%7Claboratory",
            observation(),
            True,
        ),
        ("patient/Observation.rs?category=other|laboratory", observation(), False),
        ("patient/Observation.rs?category=laboratory,vital-signs", observation(category="vital-signs"), True),
        ("patient/Observation.rs?category=laboratory&status=final", observation(status="final"), True),
        ("patient/Observation.rs?category=laboratory&status=final", observation(status="preliminary"), False),
        ("patient/Observation.rs?date=2026-01-01", observation(), False),
        ("patient/Observation.rs?category", observation(), False),
        (
            "patient/Observation.rs?category=laboratory patient/Observation.rs?category=vital-signs",
            observation(category="vital-signs"),
            True,
        ),
        (
            "system/Observation.rs?code=http://loinc.org|2524-7",
            observation("p9", code=coded("http://loinc.org", "2524-7")),
            True,
        ),
    ],
)
def test_whose_record_and_which(scopes: str, resource: dict[str, Any], allowed: bool) -> None:
    assert allows(grant(scopes), "read", resource["resourceType"], resource, find=STORE.get) is allowed


@pytest.mark.parametrize(
    ("patient", "user", "scopes", "allowed"),
    [
        (None, CLINICIAN, "patient/*.rs", False),
        ("p1", None, "user/*.rs", False),
        ("p2", CLINICIAN, "patient/*.rs", False),
        ("p2", PATIENT, "user/*.rs", True),
        (None, PATIENT, "user/*.rs", True),
        (None, None, "system/*.rs", True),
    ],
)
def test_who_signed_in_and_for_whom(patient: str | None, user: User | None, scopes: str, allowed: bool) -> None:
    held = grant(scopes, patient, user)
    assert allows(held, "read", "Observation", observation("p1")) is allowed
    if user is PATIENT:
        assert not allows(held, "read", "Observation", observation("p2"))


@pytest.mark.parametrize(
    ("kind", "query", "allowed"),
    [
        ("Observation", [("patient", "p1")], True),
        ("Observation", [("patient", "Patient/p1")], True),
        ("Observation", [("subject:Patient", "p2")], False),
        ("Observation", [("patient", "p2,p1")], True),
        ("Observation", [("patient", "p1"), ("patient", "p2")], False),
        ("Observation", [("category", "laboratory")], True),
        ("Patient", [("_id", "p2")], False),
        ("Practitioner", [("_id", "dr")], True),
    ],
)
def test_a_search_for_other_patients_only_is_refused(kind: str, query: list[tuple[str, str]], allowed: bool) -> None:
    assert allows(grant("patient/*.rs"), "search-type", kind, query=query) is allowed
    assert allows(grant("user/*.rs"), "search-type", kind, query=query)


def test_what_is_shared_is_not_written_at_patient_level() -> None:
    assert not allows(grant("patient/*.cruds"), "update", "Practitioner", DOCTOR)
    assert allows(grant("user/*.cruds"), "update", "Practitioner", DOCTOR)


def test_the_search_engines_own_comparison_is_used() -> None:
    held, asked = grant("patient/Observation.rs?date=ge2026"), []

    def matches(resource: dict[str, Any], name: str, value: str) -> bool:
        asked.append((resource["id"], name, value))
        return True

    assert allows(held, "read", "Observation", observation(), matches=matches)
    assert asked == [("o", "date", "ge2026")]


def test_every_interaction_with_an_instance_or_a_type_has_a_letter() -> None:
    assert set("".join(LETTERS.values())) == set("cruds")
    with pytest.raises(KeyError):
        allows(grant("system/*.cruds"), "transaction", "Observation")


@pytest.mark.parametrize(
    ("scopes", "user", "needed"),
    [
        ("patient/Patient.r", CLINICIAN, "patient/"),
        ("system/Patient.r", None, "system/"),
        ("openid", CLINICIAN, "user/"),
        ("", None, "system/"),
    ],
)
def test_a_refusal_names_the_scope_that_lacks(scopes: str, user: User | None, needed: str) -> None:
    assert needed_scope(grant(scopes, user=user), "create", "Observation") == f"{needed}Observation.c"


def test_provenance_that_goes_round_in_circles_is_nobodys() -> None:
    circle = {"resourceType": "Provenance", "id": "c", "target": [{"reference": "Provenance/c"}]}
    assert patients_of(circle, lambda _: circle) == frozenset()
