"""FHIR's own tables: paths lead to what the specification says, and what does not exist says what may be meant."""

from __future__ import annotations

from typing import get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.documents.resources import data_dir
from interlock.fhir.tables import release
from interlock.fhir.tables.elements import MAX_STEPS, Element
from interlock.fhir.tables.unknown import Unknown
from interlock.model.contract import WorkflowContract
from interlock.model.facts import FhirRelease
from tiers import rounds

RELEASES = get_args(FhirRelease)

R4 = release("R4")


def children_of(path: str, name: FhirRelease = "R4") -> tuple[Element, ...]:
    found = release(name).children(path)
    assert not isinstance(found, Unknown), found
    return found


def element(path: str, name: FhirRelease = "R4") -> Element:
    found = release(name).element(path)
    assert isinstance(found, Element), found
    return found


@pytest.mark.parametrize(
    ("path", "definition", "types", "minimum", "maximum"),
    [
        ("Patient", "Patient", "Patient", 0, None),
        ("Observation.status", "Observation.status", "code", 1, 1),
        ("Observation.valueQuantity", "Observation.value[x]", "Quantity", 0, 1),
        ("Observation.valueQuantity.value", "Quantity.value", "decimal", 0, 1),
        ("Observation.value[x]:valueQuantity.unit", "Quantity.unit", "string", 0, 1),
        ("Observation.value.ofType(Quantity).code", "Quantity.code", "code", 0, 1),
        ("Observation.component.valueCodeableConcept.coding.system", "Coding.system", "uri", 0, 1),
        ("Observation.component.referenceRange.low", "Observation.referenceRange.low", "Quantity", 0, 1),
        ("Observation.component[0].code", "Observation.component.code", "CodeableConcept", 1, 1),
        ("Observation.subject.identifier.value", "Identifier.value", "string", 0, 1),
        ("Observation.meta.profile", "Meta.profile", "canonical", 0, None),
        ("Observation.category:VSCat.coding.code", "Coding.code", "code", 0, 1),
        ("Patient.extension('http://example.org/x').valueString", "Extension.value[x]", "string", 0, 1),
        ("Patient.extension:race.extension.url", "Extension.url", "uri", 1, 1),
        ("Patient._birthDate.extension", "Element.extension", "Extension", 0, None),
        ("Patient.birthDate.id", "Element.id", "string", 0, 1),
        ("Patient.contact.name.given", "HumanName.given", "string", 0, None),
        ("Patient.deceasedBoolean", "Patient.deceased[x]", "boolean", 0, 1),
        ("Patient.identifier.where(system='urn:x').value", "Identifier.value", "string", 0, 1),
        ("MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.value", "Quantity.value", "decimal", 0, 1),
        ("Questionnaire.item.item.item.linkId", "Questionnaire.item.linkId", "string", 1, 1),
        ("Bundle.entry.resource.ofType(Patient).birthDate", "Patient.birthDate", "date", 0, 1),
        ("Timing.repeat.boundsPeriod.start", "Period.start", "dateTime", 0, 1),
        ("Quantity.value", "Quantity.value", "decimal", 0, 1),
    ],
)
def test_a_path_leads_to_its_element(path: str, definition: str, types: str, minimum: int, maximum: int | None) -> None:
    found = element(path)
    assert (found.path, "|".join(found.types), found.min, found.max) == (definition, types, minimum, maximum)


def test_an_element_says_what_its_definition_says() -> None:
    status = element("Observation.status")
    assert status.is_modifier and status.is_summary and not status.repeats
    assert status.binding is not None
    assert status.binding.value_set == "http://hl7.org/fhir/ValueSet/observation-status"
    assert status.binding.strength == "required"
    assert "entered-in-error" in status.binding.codes
    assert element("Observation.subject").targets == ("Device", "Group", "Location", "Patient")
    assert element("Observation.component.referenceRange").content_reference == "Observation.referenceRange"
    value = element("Observation.value[x]")
    assert value.is_choice and {"valueQuantity", "valueString", "valueDateTime"} <= set(value.json_names)
    assert element("Observation.value").types == value.types
    assert not element("Observation.valueQuantity").is_choice
    assert element("Observation.code").json_names == ("code",)


def test_what_types_of_a_choice_share_is_what_they_have_in_common() -> None:
    code = element("Observation.value[x].extension")
    assert code.types == ("Extension",)
    start = element("Condition.onset[x].start")
    assert (start.path, start.types) == ("Period.start", ("dateTime",))
    mixed = element("Extension.value[x].value")
    assert {"decimal", "string"} <= set(mixed.types)
    assert mixed.binding is None


def test_children_are_the_elements_below_a_type_or_an_element() -> None:
    children = children_of("Observation.component")
    names = {child.name for child in children}
    assert {"code", "value[x]", "referenceRange", "extension", "modifierExtension", "id"} <= names
    assert "status" not in names
    assert [child.path for child in children if child.name == "modifierExtension"] == [
        "BackboneElement.modifierExtension"
    ]
    assert [child.name for child in children_of("Patient")][:12] == (
        [
            "id",
            "meta",
            "implicitRules",
            "language",
            "text",
            "contained",
            "extension",
            "modifierExtension",
            "identifier",
            "active",
            "name",
            "telecom",
        ]
    )
    assert isinstance(R4.children("Pateint"), Unknown)


def test_one_release_is_not_another() -> None:
    assert element("Encounter.class", "R4").types == ("Coding",)
    assert element("Encounter.class", "R5").types == ("CodeableConcept",)
    assert element("Condition.evidence.reference", "R5").types == ("Reference",)
    assert element("MedicationOrder.status", "DSTU2").types == ("code",)
    assert isinstance(release("R5").element("Media.content"), Unknown)
    assert isinstance(release("STU3").element("Observation.focus"), Unknown)


@pytest.mark.parametrize(
    ("path", "kind", "name", "at", "near"),
    [
        ("Pateint.birthDate", "type", "Pateint", "", "Patient"),
        ("patient.birthDate", "type", "patient", "", "Patient"),
        ("Patient.birthdate", "element", "birthdate", "Patient", "birthDate"),
        ("Observation.valueQuantiy", "element", "valueQuantiy", "Observation", "valueQuantity"),
        ("Observation.valueQuantity.vlaue", "element", "vlaue", "Observation.value[x]", "value"),
        ("Observation.effectiveDatetime", "element", "effectiveDatetime", "Observation", "effectiveDateTime"),
        ("Observation.component.refrenceRange", "element", "refrenceRange", "Observation.component", "referenceRange"),
        ("Observation.value.ofType(Quantty)", "type", "Quantty", "Observation.value[x]", "Quantity"),
    ],
)
def test_a_misspelt_name_says_which_may_be_meant(path: str, kind: str, name: str, at: str, near: str) -> None:
    found = R4.element(path)
    assert isinstance(found, Unknown)
    assert (found.kind, found.name, found.at) == (kind, name, at)
    assert found.near[0] == near


def test_a_code_is_looked_up_where_all_codes_are_known() -> None:
    binding = element("Observation.status").binding
    assert binding is not None
    assert binding.unknown("final") is None
    wrong = binding.unknown("finall", "Observation.status")
    assert wrong is not None
    assert (wrong.kind, wrong.near[0], wrong.at) == ("code", "final", "Observation.status")
    category = element("Observation.category").binding
    assert category is not None and category.unknown("house-rule") is None, "a preferred binding leaves codes open"


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "Patient.",
        ".Patient",
        "Patient..name",
        "Patient name",
        "Patient.name[",
        "Patient.name[x].given[x]",
        "Patient.\u0000",
        "Patient.name.given.given",
        "Observation.valuequantity",
        "Observation.value[x][x]",
        "ofType(Patient)",
        "Patient" + ".extension" * 10_000,
        "Patient" + ".extension" * (MAX_STEPS + 1),
        "Questionnaire" + ".item" * 80,
        "(" * 500,
        "a(" * 300,
        ":" * 900,
        "x" * 1_000_000,
    ],
)
def test_what_is_no_path_is_unknown(path: str) -> None:
    found = R4.element(path)
    assert isinstance(found, Unknown)
    assert len(found.name) <= 100


def test_a_path_is_followed_as_deep_as_it_may_be() -> None:
    assert element("Questionnaire" + ".item" * (MAX_STEPS - 1)).path == "Questionnaire.item.item"


@pytest.mark.parametrize("path", sorted(data_dir("samples").rglob("contract.yaml")), ids=lambda path: path.parent.name)
def test_every_required_field_of_every_sample_resolves(path) -> None:  # type: ignore[no-untyped-def]
    document = yaml.safe_load(path.read_text())
    contract = WorkflowContract.model_validate(document)
    tables = release(contract.fhir_release)
    needs = [*contract.inputs, *contract.outputs]
    for need in needs:
        assert tables.type_unknown(need.resource) is None
        for field in need.required_fields:
            assert isinstance(tables.element(f"{need.resource}.{field}"), Element), (need.resource, field)
        for name in need.search_parameters:
            assert not isinstance(tables.parameter(need.resource, name), Unknown), (need.resource, name)


NAMES = st.sampled_from(RELEASES)


@st.composite
def paths(draw: st.DrawFn) -> tuple[FhirRelease, str, Element]:
    """A path made of the tables alone, of a type and up to six of its elements in turn, and the last of these."""
    name = draw(NAMES)
    tables = release(name)
    path = draw(st.sampled_from(sorted(tables.types)))
    last = element(path, name)
    for _ in range(draw(st.integers(0, 6))):
        if not (children := children_of(path, name)):
            break
        child = draw(st.sampled_from(children))
        last = child
        path = f"{path}.{draw(st.sampled_from([child.name, *child.json_names]))}"
    return name, path, last


@given(paths())
@settings(max_examples=rounds(150, 3_000))
def test_every_path_of_the_tables_leads_to_its_element(made: tuple[FhirRelease, str, Element]) -> None:
    name, path, last = made
    found = element(path, name)
    assert found.path == last.path
    assert set(found.types) <= set(last.types)
    trail = release(name).elements(path)
    assert not isinstance(trail, Unknown)
    assert trail[-1] == found and len(trail) == path.count(".") + 1


@given(NAMES, st.one_of(st.text(max_size=60), st.from_regex(r"[A-Za-z.\[\]():_x]{0,40}", fullmatch=True)))
@settings(max_examples=rounds(150, 5_000))
def test_garbage_is_unknown_or_an_element(name: FhirRelease, garbage: str) -> None:
    for path in (garbage, f"Patient.{garbage}", f"Observation.value.{garbage}"):
        found = release(name).element(path)
        assert isinstance(found, Element | Unknown)
        if isinstance(found, Unknown):
            assert len(found.near) <= 3
