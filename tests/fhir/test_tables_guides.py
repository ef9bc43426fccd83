"""Void states, differences between releases, US Core, SMART and ONC (g)(10) out of the tables."""

from __future__ import annotations

import pytest

from interlock.fhir.sampling import _NARROWER as NARROWER
from interlock.fhir.smart import CAPABILITY_SETS, SET_CLIENT_TYPES
from interlock.fhir.tables import Element, Unknown, differences, onc_g10, release, smart, us_core
from interlock.fhir.tables.us_core import EDITIONS, Profile, edition_unknown

R4 = release("R4")


@pytest.mark.parametrize(
    ("fhir", "resource", "path", "kind", "codes", "negative"),
    [
        ("R4", "Condition", "Condition.verificationStatus", "error-code", "entered-in-error", "refuted"),
        (
            "R4",
            "AllergyIntolerance",
            "AllergyIntolerance.verificationStatus",
            "error-code",
            "entered-in-error",
            "refuted",
        ),
        ("R4", "Observation", "Observation.status", "error-code", "entered-in-error", "cancelled"),
        ("R4", "Patient", "Patient.active", "active-flag", "", "false"),
        (
            "DSTU2",
            "AllergyIntolerance",
            "AllergyIntolerance.status",
            "error-code",
            "entered-in-error",
            "inactive|refuted",
        ),
        ("DSTU2", "Appointment", "Appointment.status", "status-without-error-code", "", "cancelled|noshow"),
        ("R5", "Condition", "Condition.verificationStatus", "error-code", "entered-in-error", "refuted"),
    ],
)
def test_void_states_name_the_element_and_its_codes(fhir, resource, path, kind, codes, negative) -> None:  # type: ignore[no-untyped-def]
    first = release(fhir).void_states(resource)[0]
    assert (first.path, first.kind, "|".join(first.codes), "|".join(first.negative)) == (path, kind, codes, negative)


def test_the_whole_resource_goes_before_its_parts() -> None:
    assert [state.path for state in R4.void_states("Encounter")] == [
        "Encounter.status",
        "Encounter.statusHistory.status",
    ]
    assert R4.void_states("Provenance") == R4.void_states("Pateint") == ()


def test_a_condition_without_status_may_be_one_entered_in_error() -> None:
    keys = {invariant.key: invariant for invariant in R4.invariants("Condition")}
    assert keys["con-5"].severity == "error"
    assert "clinicalStatus" in keys["con-5"].expression


def test_r4_and_r4b_differ_in_a_few_elements_only() -> None:
    r4b = release("R4B")
    used = ["Observation.status", "Observation.valueQuantity.value", "Condition.code", "Patient.birthDate"]
    assert differences(R4, r4b, used) == ()
    (subject,) = differences(R4, r4b, ["Observation.subject"])
    assert (subject.field, subject.at) == ("targets", "Observation.subject")
    assert set(subject.new) > set(subject.old) == {"Device", "Group", "Location", "Patient"}
    # what stands below an element that differs differs with it
    (below,) = differences(R4, r4b, ["Observation.subject.identifier"])
    assert (below.path, below.at) == ("Observation.subject.identifier", "Observation.subject")


def test_differences_name_each_thing_that_is_not_the_same() -> None:
    found = {(one.at, one.field): one for one in differences(R4, release("R5"), ["Encounter.class", "Media.content"])}
    assert found["Encounter.class", "types"].new == ("CodeableConcept",)
    assert found["Encounter.class", "max"].new == ("*",)
    assert (found["Media.content", "presence"].old, found["Media.content", "presence"].new) == (("Media.content",), ())
    criticality = differences(R4, release("DSTU2"), ["AllergyIntolerance.criticality"])
    assert {one.field: one.new for one in criticality}["codes"] == ("CRITH", "CRITL", "CRITU")
    assert differences(R4, release("R5"), ["Nothing.here", ""]) == ()


def test_an_edition_of_us_core_has_its_requirements_with_verbs() -> None:
    edition = us_core("6.1.0")
    condition = edition.resources["Condition"]
    assert (condition.verb, condition.interactions["read"], condition.interactions["create"]) == (
        "SHALL",
        "SHALL",
        "MAY",
    )
    patient = next(one for one in condition.parameters if one.code == "patient")
    assert (patient.type, patient.verb) == ("reference", "SHALL")
    combinations = {one.parameters: one.verb for one in condition.combinations}
    assert combinations["patient", "category"] == "SHALL"
    assert edition.resources["CarePlan"].rev_includes == {"Provenance:target": "SHALL"}
    assert [one.name for one in edition.resources["DocumentReference"].operations] == ["docref"]
    date = next(one for one in edition.resources["CarePlan"].parameters if one.code == "date")
    assert (date.comparators["gt"], date.comparators["eq"]) == ("SHALL", "MAY")
    assert edition.system["transaction"] == "MAY"
    assert not us_core("5.0.1").scopes
    granular = {one.scope: one.verb for one in us_core("7.0.0").scopes if one.level == "granular"}
    assert (
        granular["Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"]
        == "SHALL"
    )


@pytest.mark.parametrize("resource", sorted(NARROWER))
def test_a_search_is_narrowed_by_what_us_core_requires(resource: str) -> None:
    combinations = {one.parameters: one.verb for one in us_core("6.1.0").resources[resource].combinations}
    assert combinations["patient", NARROWER[resource][0]] == "SHALL"


def test_a_profile_says_what_is_mandatory_and_must_be_supported() -> None:
    edition = us_core("6.1.0")
    patient = edition.profile("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0")
    assert isinstance(patient, Profile) and patient.resource == "Patient" and patient.declared
    assert patient == edition.profile("us-core-patient")
    assert {"Patient.identifier", "Patient.name", "Patient.gender"} <= {one.path for one in patient.mandatory}
    telecom = next(one for one in patient.elements if one.path == "Patient.telecom.system")
    assert telecom.mandatory == "if-parent"
    race = next(one for one in patient.elements if one.slice == "race")
    assert (race.path, race.uscdi, race.must_support) == ("Patient.extension", True, False)
    assert patient.additions and all(one.path.startswith("Patient.") for one in patient.additions)
    assert "us-core-patient" in {one.id for one in edition.profiles_of("Patient")}


@pytest.mark.parametrize(
    "name", ["us-core-patiennt", "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patiennt"]
)
def test_a_misspelt_profile_says_which_may_be_meant(name: str) -> None:
    found = us_core("6.1.0").profile(name)
    assert isinstance(found, Unknown)
    assert found.near[0].endswith("us-core-patient")


def test_a_profile_of_somebody_else_is_not_one_of_us_core() -> None:
    assert isinstance(us_core("6.1.0").profile("http://example.org/StructureDefinition/us-core-patient"), Unknown)


def test_an_edition_that_does_not_exist_is_unknown() -> None:
    assert all(edition_unknown(edition) is None for edition in EDITIONS)
    found = edition_unknown("6.1.1")
    assert found is not None and found.near[0] == "6.1.0"


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_element_of_us_core_is_one_of_fhir(edition) -> None:  # type: ignore[no-untyped-def]
    tables = us_core(edition)
    interaction = R4.element("CapabilityStatement.rest.resource.interaction.code")
    assert isinstance(interaction, Element) and interaction.binding is not None
    codes = interaction.binding.codes
    for profile in tables.profiles.values():
        for one in profile.elements:
            assert isinstance(R4.element(one.path), Element), (profile.id, one.id)
        for addition in profile.additions:
            assert addition.kind != "element" or isinstance(R4.element(addition.path), Element), addition
    for resource, required in tables.resources.items():
        assert R4.type_unknown(resource) is None
        assert {*required.interactions} <= {*codes}
        for one in required.parameters:
            defined = R4.parameters(resource).get(one.code)
            assert defined is None or defined.type == one.type, (resource, one.code)  # a few are US Core's own


def test_smart_has_its_capabilities_by_version() -> None:
    tables = smart()
    assert "permission-v2" in tables.capability_codes("2.2") - tables.capability_codes("1.0")
    assert "smart-app-state" in tables.capability_codes("2.2") - tables.capability_codes("2.0")
    assert len(tables.capability_codes()) == 20
    sets = {one.name: one for one in tables.capability_sets["2.2"]}
    ehr = sets["Clinician Access for EHR Launch"]
    assert ehr.missing(frozenset(ehr.all_of)) == ("client-public|client-confidential-symmetric",)
    assert ehr.missing(frozenset({*ehr.all_of, "client-public"})) == ()
    fields = {one.name: one for one in tables.well_known}
    assert "1.0" not in fields["grant_types_supported"].versions
    assert fields["authorization_endpoint"].versions["2.2"] == "conditional"
    assert fields["jwks_uri"].condition


def test_the_sets_that_facts_name_are_those_of_the_tables() -> None:
    named = zip(
        ("clinician-access-ehr", "clinician-access-standalone", "patient-access-ehr", "patient-access-standalone"),
        smart().capability_sets["2.2"],
        strict=True,
    )
    for name, one in named:
        assert {*one.all_of} == CAPABILITY_SETS[name]
        assert {*one.any_of} == SET_CLIENT_TYPES


def test_onc_requires_more_of_a_launch_with_newer_editions() -> None:
    tables = onc_g10()
    older = tables.required_capabilities("ehr-practitioner-app", "2.2", "4.0.0")
    newer = tables.required_capabilities("ehr-practitioner-app", "2.2", "6.1.0")
    assert newer - older == {"context-ehr-encounter"}
    assert "Patient" in tables.patient_resources["6.1.0"]
    assert any(one.required for one in tables.profiles if one.edition == "7.0.0")
