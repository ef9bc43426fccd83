from __future__ import annotations

import json
from pathlib import Path

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.STU3.capabilitystatement import CapabilityStatement as Stu3Statement
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from interlock.contract.load import load_contract, remarks
from interlock.contract.page import workflow_markdown
from interlock.contract.resolve import resolve
from interlock.contract.skeletons import build
from interlock.fhir.validation import InvalidDocumentError
from interlock.model.contract import ClinicalEvent, Launch, Need, SurfaceSetting, WorkflowContract
from interlock.model.errors import DocumentError
from interlock.model.organization import Organization

pytestmark = pytest.mark.fast

TEXT = """\
version: "1"
title: Sample
launch: {modes: [ehr]}
inputs:
  - resource: Observation
    interactions: [read, search]
    required_fields: [valueQuantity]
outputs:
  - resource: RiskAssessment
    interactions: [create]
endpoints:
  - {path: /waveform, audience: nurse, carries_phi: true}
test_path:
  - {behaviour: launch, where: sandbox}
"""


@pytest.fixture
def contract() -> WorkflowContract:
    return WorkflowContract(
        version="1.2",
        title="Sepsis watch",
        clinical_event=ClinicalEvent(trigger="a lactate result", actor="nurse", setting="ward", states=("final",)),
        launch=Launch(modes=("ehr", "backend"), context=("patient",), client="confidential-asymmetric"),
        inputs=(
            Need(
                resource="Observation",
                purpose="vitals",
                interactions=("read", "search"),
                search_parameters=("patient", "date", "category"),
                profile="http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs",
            ),
        ),
        outputs=(Need(resource="Observation", purpose="score", interactions=("create", "update")),),
        organization_surface=(
            SurfaceSetting(name="threshold", surface="per_organization", type="number", default=0.7),
            SurfaceSetting(name="languages", surface="universal", type="list", default=["en"]),
        ),
    )


def files_of(
    contract: WorkflowContract, product: str = "Sentinel", made: str = "2026-11-22", *orgs: Organization
) -> dict[str, str]:
    return build(resolve(contract, orgs, {}, product=product, description=None, made=made))


def capability_statement(contract: WorkflowContract, product: str, made: str) -> str:
    return files_of(contract, product, made)["capability-statement.json"]


def test_every_undecided_point_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(TEXT)
    lines = {remark.message: remark.line for remark in remarks(*load_contract(path))}
    assert lines["Observation: what happens when a required field is missing is undecided"] == 5
    assert (
        lines["RiskAssessment: no recorded server accepts its writes; map it to Observation or DocumentReference"] == 9
    )
    assert lines["/waveform carries patient data and names no authentication"] == 12
    assert lines["launch: no reason is given for testing it by sandbox"] == 14
    assert "the clinical event is not written down" in lines
    assert "withdraw is undecided" in lines
    assert "ehr unavailable is undecided" in lines


def test_a_wrong_interaction_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(TEXT.replace("[read, search]", "[read, seek]"))
    with pytest.raises(DocumentError, match="seek") as caught:
        load_contract(path)
    assert caught.value.location is not None
    assert caught.value.location.line == 6


def test_the_requirements_statement_is_valid_and_keeps_cpb_16(contract: WorkflowContract) -> None:
    text = capability_statement(contract, "Sentinel Sepsis 2", "2026-11-22")
    CapabilityStatement.model_validate_json(text)
    statement = json.loads(text)
    assert statement["kind"] == "requirements"
    assert "software" not in statement
    assert "implementation" not in statement
    (resource,) = statement["rest"][0]["resource"]
    assert [entry["code"] for entry in resource["interaction"]] == ["read", "search-type", "create", "update"]
    assert {entry["name"]: entry["type"] for entry in resource["searchParam"]} == {
        "patient": "reference",
        "date": "date",
        "category": "token",
    }
    assert statement["name"] == "SentinelSepsis2Requirements"


def test_a_statement_of_an_earlier_release_has_its_form(contract: WorkflowContract) -> None:
    earlier = contract.model_copy(update={"fhir_release": "STU3"})
    text = capability_statement(earlier, "Sentinel", "2026-11-22")
    Stu3Statement.model_validate_json(text)
    statement = json.loads(text)
    assert statement["profile"] == [{"reference": contract.inputs[0].profile}]
    assert "supportedProfile" not in statement["rest"][0]["resource"][0]
    oldest = contract.model_copy(update={"fhir_release": "DSTU2"})
    assert json.loads(capability_statement(oldest, "Sentinel", "2026-11-22"))["resourceType"] == "Conformance"


def test_a_statement_that_would_not_be_valid_is_not_made(contract: WorkflowContract) -> None:
    wrong = contract.but(version="")
    with pytest.raises(InvalidDocumentError, match=r"capability-statement\.json.*/version"):
        capability_statement(wrong, "Sentinel", "2026-11-22")


def test_settings_of_an_organisation_hold_names_of_secrets_only(contract: WorkflowContract) -> None:
    org = Organization.model_validate(
        {
            "id": "st-mary",
            "name": "St Mary",
            "fhir_base_url": "https://ehr.example.org/fhir",
            "auth": {"private_key_env": "ST_MARY_KEY"},
            "overrides": {"threshold": 0.6, "pager": "4711"},
        }
    )
    text = files_of(contract, "Sentinel", "2026-11-22", org)["settings/st-mary.yaml"]
    config = YAML(typ="safe").load(text)
    assert config["settings"] == {"threshold": 0.6, "languages": ["en"]}
    assert "# Not taken: pager" in text
    named = {"client_id_env": "FHIR_ST_MARY_CLIENT_ID", "private_key_env": "ST_MARY_KEY"}
    assert config["credentials_from_environment"] == named
    assert config["issuer_allow_list"] == ["https://ehr.example.org/fhir"]


def test_the_page_renders_and_escapes(contract: WorkflowContract) -> None:
    hostile = contract.model_copy(
        update={"title": "<script>alert(1)</script> | a*b*", "inputs": (Need(resource="Observation", purpose="a|b"),)}
    )
    html = MarkdownIt().enable("table").render(workflow_markdown(hostile, "Sentinel"))
    assert "<script>" not in html
    assert html.count("<h2>") == 11
    assert "undecided" in html
    assert "a|b" in html


def test_a_contract_that_needs_nothing_yet_is_a_valid_statement() -> None:
    empty = WorkflowContract(schema_version=1, version="0.1", title="Not begun")
    for release in ("STU3", "R4", "R5"):
        contract = empty.model_copy(update={"fhir_release": release})
        assert "resource" not in json.loads(capability_statement(contract, "Sentinel", "2026-11-22"))["rest"][0]


def test_parameters_are_declared_by_their_base_names_with_the_types_that_fhir_gives_them() -> None:
    names = ("patient.identifier", "started", "modality", "code:in", "code", "-own", "_count")
    need = Need(resource="Procedure", interactions=("search",), search_parameters=names)
    study = need.model_copy(update={"resource": "ImagingStudy"})
    contract = WorkflowContract(schema_version=1, version="1", title="Radiology", inputs=(need, study))
    entries = json.loads(capability_statement(contract, "Reader", "2026-11-22"))["rest"][0]["resource"]
    declared = {entry["type"]: {one["name"]: one["type"] for one in entry["searchParam"]} for entry in entries}
    assert {name: declared["ImagingStudy"][name] for name in ("patient", "started", "modality")} == {
        "patient": "reference",
        "started": "date",
        "modality": "token",
    }
    assert declared["Procedure"]["code"] == "token"
    assert "code:in" not in declared["Procedure"]
    assert declared["Procedure"]["-own"] == "special"
