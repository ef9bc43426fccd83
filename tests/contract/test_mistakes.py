"""Deliberate mistakes in a contract, each named with its line and column before any server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.contract.load import remarks
from interlock.contract.mistakes import MAX_MISTAKES, mistakes
from interlock.documents.yaml import model_from_yaml, parse_yaml
from interlock.model.contract import Need, WorkflowContract
from interlock.model.errors import InterlockError
from interlock.usecases.contract import lint_contract

pytestmark = pytest.mark.fast

#: A contract without a mistake: each row below puts one in, in place of a text that occurs once.
RIGHT = """\
version: "1"
title: Sample
fhir_release: R4
clinical_event: {trigger: A result, actor: Nurse, setting: Ward, states: [final, corrected], action: Looks}
launch: {modes: [ehr, backend], context: [patient, encounter], client: confidential-asymmetric, browser: false}
inputs:
  - resource: Observation
    profile: http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs
    interactions: [read, search]
    search_parameters: [patient, category, "code:in", "subject:Patient.name", date]
    operations: [$lastn]
    required_fields: [status, code, effectiveDateTime, valueQuantity.value, "extension('http://x').value"]
    terminology: [http://loinc.org, http://unitsofmeasure.org, https://codes.example.org/local]
    when_missing: Nothing
    organizations: [riverside, lakeside]
  - resource: Encounter
    profile: http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter|6.1.0
    interactions: [search]
    search_parameters: [subject, -own-parameter]
    required_fields: [period.start, participant.individual]
    when_missing: Nothing
outputs:
  - resource: DocumentReference
    interactions: [create, update]
    required_fields: [docStatus, context.encounter]
    when_missing: Nothing
organization_surface:
  - {name: threshold, surface: per_organization, type: number, default: 0.6}
  - {name: codes, surface: universal, type: list, default: ["1"]}
endpoints:
  - {path: /launch, audience: clinicians, carries_phi: false}
  - {path: /ward, audience: clinicians, carries_phi: true, authentication: session}
test_path:
  - {behaviour: Sign-in, where: simulate, why: Refusals}
  - {behaviour: Chart, where: sandbox, why: Frame}
"""

#: What stands in the contract above → what is written for it, the line, and what is said.
ROWS = [
    (
        "resource: Observation",
        "resource: Obserwation",
        7,
        "no resource type Obserwation in R4; did you mean Observation",
    ),
    ("resource: Encounter", "resource: Encouter", 16, "no resource type Encouter in R4; did you mean Encounter?"),
    ("resource: DocumentReference", "resource: Documentreference", 23, "did you mean DocumentReference?"),
    ("resource: Encounter", "resource: HumanName", 16, "no resource type HumanName in R4"),
    ("resource: Encounter", "resource: DomainResource", 16, "no resource type DomainResource in R4"),
    ("resource: Encounter", "resource: Transport", 16, "no resource type Transport in R4; R5 has it"),
    ("[patient, category", "[pateint, category", 10, "no search parameter pateint in R4; did you mean patient?"),
    ("category, ", "catagory, ", 10, "Observation has no search parameter catagory in R4; did you mean category?"),
    (" date]", " effectiveDateTime]", 10, "Observation has no search parameter effectiveDateTime in R4"),
    ("code:in", "code:inn", 10, "no modifier :inn in R4"),
    ("category, ", '"category:exact", ', 10, "category is a parameter of type token and takes no :exact in R4"),
    (" date]", ' "date:contains"]', 10, "date is a parameter of type date and takes no :contains in R4"),
    ("subject:Patient.name", "subject:Pateint.name", 10, "no resource type Pateint in R4; did you mean Patient?"),
    (
        "subject:Patient.name",
        "subject:Patient.nmae",
        10,
        "Patient has no search parameter nmae in R4; did you mean name?",
    ),
    ("subject:Patient.name", "_has:Provenance:targett:agent", 10, "Provenance has no search parameter targett in R4"),
    ("[subject, ", "[clinical_status, ", 19, "Encounter has no search parameter clinical_status in R4"),
    ("[status, code, e", "[status, cod, e", 12, "Observation has no element cod in R4; did you mean code?"),
    ("valueQuantity.value", "valueQuantiy.value", 12, "no element valueQuantiy in R4; did you mean valueQuantity?"),
    (
        "valueQuantity.value",
        "valueQuantity.units",
        12,
        "Observation.value[x] has no element units in R4; did you mean unit?",
    ),
    ("valueQuantity.value", "Observation.value", 12, "Observation.value begins with its own type; write value"),
    ("period.start", "period.begin", 20, "Encounter.period has no element begin in R4"),
    ("participant.individual", "participant.actor", 20, "Encounter.participant has no element actor in R4"),
    ("context.encounter]", "context.encouter]", 25, "no element encouter in R4; did you mean encounter?"),
    ("docStatus", "docstatus", 25, "no element docstatus in R4; did you mean docStatus?"),
    ("fhir_release: R4", "fhir_release: R5", 20, "Encounter has no element period in R5"),
    (
        "us-core-vital-signs",
        "us-core-vitals-sign",
        8,
        "US Core has no profile us-core-vitals-sign; did you mean us-core-vital-signs?",
    ),
    (
        "us-core-vital-signs",
        "us-core-condition",
        8,
        "us-core-condition is a profile of Condition, and the need is of Observation",
    ),
    (
        "http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs",
        "us-core-vital-signs",
        8,
        "us-core-vital-signs is no address of a profile; did you mean http://hl7.org/fhir/us/core/",
    ),
    (
        "us/core/StructureDefinition/us-core-vital-signs",
        "StructureDefinition/Patient",
        8,
        "Patient is a type of its own",
    ),
    ("encounter|6.1.0", "encounter|6.1.1", 17, "no edition 6.1.1 of US Core is known; known are "),
    (
        "encounter|6.1.0",
        "encountre|6.1.0",
        17,
        "US Core 6.1.0 has no profile us-core-encountre; did you mean us-core-encounter?",
    ),
    ("[http://loinc.org", "[https://loinc.org/", 13, "did you mean http://loinc.org?"),
    ("[http://loinc.org", "[LOINC", 13, "LOINC is no address of a code system; did you mean http://loinc.org?"),
    ("unitsofmeasure.org", "unitsofmeasures.org", 13, "did you mean http://unitsofmeasure.org?"),
    ("$lastn", "$lastm", 11, "no operation $lastm is known; did you mean $lastn?"),
    ("$lastn", "last n", 11, "last n cannot be the name of an operation"),
    ("[final, corrected]", "[finall, corrected]", 4, "finall is no status of any type in R4; did you mean final?"),
    ("[final, corrected]", "[final, final]", 4, "final is named twice"),
    ("[ehr, backend]", "[ehr, ehr]", 5, "ehr is named twice"),
    ("[read, search]", "[read, search, update]", 9, "Observation: update writes, and this is an input"),
    ("[read, search]", "[read]", 10, "search parameters are named, and search is not among its interactions"),
    ("[read, search]", "[read, search, read]", 9, "read is named twice"),
    ("[create, update]", "[read]", 24, "nothing of it is written, and this is an output"),
    (
        "[ehr, backend]",
        "[backend]",
        5,
        "context patient, encounter is asked for, and a backend service has no launch context",
    ),
    ("[ehr, backend]", "[]", 5, "context patient, encounter is asked for, and no launch mode is named"),
    (
        "confidential-asymmetric",
        "public",
        5,
        "a backend service signs its own assertion: confidential-asymmetric, and client is public",
    ),
    ("confidential-asymmetric", "confidential-symmetric", 5, "and client is confidential-symmetric"),
    ("encounter], client", "encounter, patient], client", 5, "patient is named twice"),
    (
        "[ehr, backend], context: [patient, encounter], client: confidential-asymmetric, browser: false",
        "[backend], browser: true",
        5,
        "a backend service has no browser",
    ),
    ("lakeside]", "lakesid]", 15, "there is no organisation 'lakesid'; did you mean 'lakeside'?"),
    ("lakeside]", "riverside]", 15, "riverside is named twice"),
    ("[subject, ", "[date, date, ", 19, "date is named twice"),
    ("[docStatus, ", "[docStatus, docStatus, ", 25, "docStatus is named twice"),
    ("default: 0.6", 'default: "0.6"', 28, "threshold: its default is not a number"),
    ('default: ["1"]', "default: [1]", 29, None),
    ("name: codes", "name: threshold", 29, "threshold: another setting has this name"),
    ("path: /ward", "path: /launch", 32, "another endpoint has the path /launch"),
    ("behaviour: Chart, where: sandbox", "behaviour: Sign-in, where: simulate", 35, "Sign-in: simulate is named twice"),
]


def found(text: str) -> list[tuple[int | None, str]]:
    document = parse_yaml(text, "contract.yaml")
    contract = model_from_yaml(WorkflowContract, document)
    return [(one.line, one.message) for one in remarks(contract, document, ["riverside", "lakeside"]) if one.wrong]


def test_a_contract_without_a_mistake_has_none() -> None:
    assert found(RIGHT) == []


@pytest.mark.parametrize(("right", "wrong", "line", "said"), ROWS, ids=[f"{row[1][:50]}" for row in ROWS])
def test_each_mistake_is_named_with_its_line(right: str, wrong: str, line: int, said: str | None) -> None:
    assert RIGHT.count(right) == 1
    text = RIGHT.replace(right, wrong)
    if said is None:  # no contract at all: the loader says so
        with pytest.raises(InterlockError, match=r"contract\.yaml:29"):
            found(text)
        return
    told = found(text)
    assert any(at == line and said in message for at, message in told), told


def test_a_mistake_stands_at_the_word_itself(tmp_path: Path) -> None:
    (tmp_path / "interlock.yaml").write_text("product: Sample\n")
    (tmp_path / "orgs").mkdir()
    (tmp_path / "orgs" / "riverside.yaml").write_text("id: riverside\nname: Riverside\n")
    path = tmp_path / "contract.yaml"
    path.write_text(RIGHT.replace("category, ", "catagory, "))
    for named in (path, tmp_path):
        wrong = [one for one in lint_contract(named)[1] if one.wrong]
        assert [(one.line, one.column, one.pointer) for one in wrong] == [
            (10, 34, "/inputs/0/search_parameters/1"),
            (15, 32, "/inputs/0/organizations/1"),
        ]


def test_a_contract_outside_a_workspace_may_name_any_organisation(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(RIGHT)
    assert not [one for one in lint_contract(path)[1] if one.wrong]


def test_of_very_many_mistakes_the_first_are_named() -> None:
    fields = tuple(f"cod{number}" for number in range(2 * MAX_MISTAKES))
    contract = WorkflowContract(version="1", title="x", inputs=(Need(resource="Observation", required_fields=fields),))
    assert len(mistakes(contract)) == MAX_MISTAKES
