"""The people of the simulated hospitals: valid, coherent, different at each hospital, and marked on demand."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from interlock.fhir.validation import validate
from interlock.model.facts import FhirRelease
from interlock.sandbox.declared import read
from interlock.sandbox.organizations import SimulatedOrganization, load_organizations
from interlock.sandbox.people import canary, population

pytestmark = pytest.mark.fast

RELEASES: dict[str, FhirRelease] = {
    "harborview": "R4",
    "lakeshore": "R4",
    "pinecrest": "STU3",
    "riverside": "R4",
    "summerfield": "R4",
}
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
hospitals = pytest.mark.parametrize("name", RELEASES)
#: What US Core 6.1.0 requires of each resource (its profiles' elements with a minimum of one) beyond FHIR itself.
MANDATORY = {
    "us-core-patient": ("identifier", "name", "gender"),
    "us-core-practitioner": ("identifier", "name"),
    "us-core-organization": ("active", "name"),
    "us-core-location": ("name",),
    "us-core-encounter": ("status", "class", "type", "subject"),
    "us-core-condition-encounter-diagnosis": ("category", "code", "subject"),
    "us-core-condition-problems-health-concerns": ("category", "code", "subject"),
    "us-core-observation-lab": ("category", "code", "status", "subject"),
    "us-core-diagnosticreport-lab": ("category", "code", "status", "subject", "effectiveDateTime", "issued"),
    "us-core-diagnosticreport-note": ("category", "code", "status", "subject", "effectiveDateTime", "issued"),
    "us-core-documentreference": ("category", "type", "status", "subject", "content"),
    "us-core-medicationrequest": ("status", "intent", "medicationCodeableConcept", "subject", "requester"),
    "us-core-allergyintolerance": ("code", "patient", "clinicalStatus"),
    "us-core-servicerequest": ("status", "intent", "code", "subject"),
}


def inside(value: Any, key: str) -> Iterator[Any]:
    """Every value of a name, anywhere in a record."""
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for inner in value.values():
            yield from inside(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from inside(inner, key)


def codings(record: dict[str, Any]) -> set[str]:
    return {coding["system"] for entry in inside(record, "coding") for coding in entry}


@hospitals
@pytest.mark.parametrize("marked", [False, True])
def test_every_record_is_valid_in_the_release_of_its_hospital(name: str, marked: bool) -> None:
    for record in population(name, canaries=marked):
        read = validate(record, RELEASES[name])
        assert read.unread is None and not read.problems, (record["id"], read.sentence())


@hospitals
def test_every_record_that_claims_a_profile_has_what_it_requires(name: str) -> None:
    claims = Counter[str]()
    for record in population(name):
        for profile in record.get("meta", {}).get("profile", ()):
            assert profile.startswith(US_CORE) and profile.endswith("|6.1.0")
            kind = profile.removeprefix(US_CORE).partition("|")[0]
            claims[kind] += 1
            wanted = MANDATORY.get(kind, ("status", "category", "code", "subject", "effectiveDateTime"))
            assert [element for element in wanted if not record.get(element)] == [], record["id"]
            if record["resourceType"] == "Observation":
                assert {"valueQuantity", "valueString", "dataAbsentReason", "component"} & record.keys(), record["id"]
    assert bool(claims) is (name in {"riverside", "harborview", "summerfield"})


def test_vital_signs_are_as_their_profiles_want_them() -> None:
    """US Core 6.1.0: fixed codes, UCUM, both codes of pulse oximetry, both components of a blood pressure."""
    vitals = [
        record
        for name in ("riverside", "harborview")
        for record in population(name)
        if record["resourceType"] == "Observation" and record["category"][0]["coding"][0]["code"] == "vital-signs"
    ]
    by_profile = {record["meta"]["profile"][0].removeprefix(US_CORE): record for record in vitals}
    oximetry = by_profile["us-core-pulse-oximetry|6.1.0"]
    assert {coding["code"] for coding in oximetry["code"]["coding"]} == {"2708-6", "59408-5"}
    pressure = by_profile["us-core-blood-pressure|6.1.0"]
    assert [part["code"]["coding"][0]["code"] for part in pressure["component"]] == ["8480-6", "8462-4"]
    assert {part["valueQuantity"]["code"] for part in pressure["component"]} == {"mm[Hg]"}
    units = {"8867-4": {"/min"}, "9279-1": {"/min"}, "8310-5": {"Cel", "[degF]"}, "29463-7": {"kg", "[lb_av]"}}
    for record in vitals:
        code = record["code"]["coding"][0]["code"]
        if code in units and "valueQuantity" in record:
            assert record["valueQuantity"]["system"] == "http://unitsofmeasure.org"
            assert record["valueQuantity"]["code"] in units[code]


@hospitals
def test_records_belong_together(name: str) -> None:
    records = {f"{record['resourceType']}/{record['id']}": record for record in population(name)}
    assert len(records) == len(population(name))
    assert {reference for record in records.values() for reference in inside(record, "reference")} <= records.keys()
    for record in records.values():
        subjects = {entry["reference"] for key in ("subject", "patient", "for") for entry in inside(record, key)}
        for visit in [*inside(record, "encounter"), *inside(record, "context")]:
            for reference in inside(visit, "reference"):
                encounter = records[reference]
                assert {encounter["subject"]["reference"]} == subjects, record["id"]
                begun = encounter["period"]["start"]
                for moment in (record.get("effectiveDateTime"), record.get("started")):
                    assert moment is None or moment >= begun, record["id"]


@hospitals
def test_everybody_is_invented(name: str) -> None:
    people = [record for record in population(name) if record["resourceType"] in {"Patient", "Practitioner"}]
    assert {entry["family"] for person in people for entry in person["name"]} <= {"Test", "Sample", "Example"}
    assert all(entry["value"].startswith("SIM-") for person in people for entry in person["identifier"])
    homes = {entry["value"].rpartition("@")[2] for person in people for entry in person.get("telecom", ())}
    assert all(home.endswith(".example") or home.startswith("555-01") for home in homes)


def test_hospitals_differ_in_codes_units_and_gaps() -> None:
    systems = {name: set().union(*map(codings, population(name))) for name in RELEASES}
    assert {"http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"} <= systems["riverside"]
    conditions = [record for record in population("lakeshore") if record["resourceType"] == "Condition"]
    assert all("http://snomed.info/sct" not in codings({"code": record["code"]}) for record in conditions)
    assert "https://pinecrest.example/codes/lab" in systems["pinecrest"]
    kinds = {name: {record["resourceType"] for record in population(name)} for name in RELEASES}
    assert "Condition" not in kinds["pinecrest"] and "ImagingStudy" not in kinds["harborview"]
    every = "Patient Practitioner Encounter Condition Observation MedicationRequest AllergyIntolerance DiagnosticReport"
    more = "DocumentReference Task ServiceRequest ImagingStudy Group Location Organization"
    assert kinds["riverside"] == set(f"{every} {more}".split())
    glucose = {
        name: {unit for record in population(name) if record.get("code", {}).get("text") == "Glucose"
               for unit in inside(record, "unit")}
        for name in ("riverside", "lakeshore")
    }  # fmt: skip
    assert glucose == {"riverside": {"mg/dL"}, "lakeshore": {"mmol/L"}}
    absent = {name: list(inside(list(population(name)), "dataAbsentReason")) for name in RELEASES}
    assert all(absent.values())


@pytest.mark.parametrize("name", ["harborview", "lakeshore", "riverside", "summerfield"])
def test_one_condition_was_entered_in_error_and_has_no_clinical_status(name: str) -> None:
    conditions = [record for record in population(name) if record["resourceType"] == "Condition"]
    states = {record["verificationStatus"]["coding"][0]["code"]: record for record in conditions}
    assert "clinicalStatus" not in states["entered-in-error"]
    assert all("clinicalStatus" in record for state, record in states.items() if state != "entered-in-error")


@hospitals
def test_a_canary_is_in_every_record_and_in_no_other(name: str) -> None:
    def text(record: dict[str, Any]) -> str:
        data = [base64.b64decode(entry).decode() for key in ("data", "content") for entry in inside(record, key)
                if isinstance(entry, str)]  # fmt: skip
        return json.dumps(record) + "".join(data)

    unmarked = "".join(text(record) for record in population(name))
    marked = population(name, canaries=True)
    texts = [text(record) for record in marked]
    for record, own in zip(marked, texts, strict=True):
        mark = canary(name, record)
        assert mark in own and mark not in unmarked
        assert [other["id"] for other, words in zip(marked, texts, strict=True) if f"{mark}<" in words] in (
            [record["id"]],
            [],  # a Binary has no narrative
        )
    assert "zqx-canary" not in "".join(text(record) for record in population(name))


@hospitals
def test_an_organisation_is_loaded_with_its_people(name: str) -> None:
    plain, marked = (
        next(entry for entry in load_organizations(canaries=wanted) if entry.id == name).resources
        for wanted in (False, True)
    )
    people = population(name)
    assert plain[-len(people) :] == people
    assert marked == (*plain[: -len(people)], *population(name, canaries=True))
    ids = [(record["resourceType"], record["id"]) for record in plain]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("entry", [entry for entry in load_organizations() if entry.listen], ids=lambda entry: entry.id)
def test_a_statement_declares_everything_that_the_people_have(entry: SimulatedOrganization) -> None:
    declared = read(entry.metadata).types
    assert {record["resourceType"] for record in entry.resources} <= set(declared)
    assert all("read" in declared[record["resourceType"]].interactions for record in entry.resources)


def test_records_are_the_callers_own_and_always_the_same() -> None:
    population("riverside")[0]["name"] = "spoilt"
    assert population("riverside")[0]["name"] != "spoilt"
    assert population("riverside") == population("riverside")
    assert population("nowhere") == ()
