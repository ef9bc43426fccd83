"""Schema 2 of the contract: what it can say, what is wrong in it, what it leaves open, and the way from schema 1."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from interlock.contract.load import load_contract, remarks
from interlock.contract.match import match_contract
from interlock.contract.page import workflow_markdown
from interlock.contract.scopes import needed_scopes
from interlock.documents.resources import data_dir
from interlock.documents.yaml import model_from_yaml, parse_yaml
from interlock.model.contract import WorkflowContract
from interlock.model.contract_parts import LaunchMode
from interlock.model.errors import DocumentError
from interlock.model.facts import CapabilityFacts, Facts, ResourceFacts
from interlock.model.observation import Observation, Target
from interlock.model.organization import Organization
from interlock.usecases.contract import upgrade_contract
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.fast

#: Radiology: an order by HL7 v2 and a study by poll start it; a card, a report and a task come of it.
RIGHT = """\
schema: 2
version: "1"
title: Radiology triage
fhir_release: R4
clinical_event: {trigger: A head CT is there, actor: Radiologist, setting: ED, states: [available], action: Reads}
launch: {modes: [ehr, backend], context: [patient], client: confidential-asymmetric}
inputs:
  - resource: ImagingStudy
    interactions: [search]
    search_parameters: [patient, status]
    query: [status=available]
    code: ["http://loinc.org|24725-4"]
    required_fields: [status, started, modality]
    modes: [backend]
    level: system
    binding:
      - {path: modality, codes: ["http://dicom.nema.org/resources/ontology/DCM|CT"], strength: required}
      - {path: procedureCode, value_set: "http://example.org/vs/head-ct", strength: preferred}
    missing:
      - {field: started, then: degrade, says: Time unknown}
      - {field: modality, then: stop}
    when_missing: Stays in place
    not_at: [pinecrest]
    here:
      - {organization: lakeshore, query: [status=registered], search_parameters: [subject]}
    per_day: 400
  - resource: Observation
    interactions: [search]
    search_parameters: [patient, category]
    query: [category=laboratory]
    required_fields: [status]
    when_missing: Ignored
    modes: [ehr]
    level: user
    here: []
outputs:
  - resource: DiagnosticReport
    interactions: [create, update]
    required_fields: [status, code]
    when_missing: Nothing
    status_flow:
      - {state: preliminary, moved_by: Radiologist, to: [final, entered-in-error]}
      - {state: final, moved_by: Radiologist, to: [entered-in-error]}
      - {state: entered-in-error}
    writing: {if_none_exist: "identifier=a|b", if_match: true, provenance: true}
  - resource: Task
    interactions: [create]
    required_fields: [status]
    when_missing: Nothing
    status_flow: [{state: requested, moved_by: Radiologist, to: [completed]}, {state: completed}]
    writing: {if_none_exist: "based-on=x&code=y", provenance: false}
channels:
  - {kind: hl7v2, message: ORM^O01, direction: in, delivery: at-least-once, latency_seconds: 60}
  - {kind: poll, resource: ImagingStudy, states: [available], delivery: at-least-once, latency_seconds: 300}
  - {kind: cds-hooks, hook: order-sign, prefetch: ["a=Patient/{{x}}"], latency_seconds: 1, delivery: at-most-once}
  - {kind: dicomweb, resource: ImagingStudy, delivery: at-least-once, latency_seconds: 600}
clients:
  - name: chart
    mode: ehr
    environment: production
    launch_url: https://app.example.org/launch
    redirect_uris: [https://app.example.org/callback]
    jwks_url: https://app.example.org/jwks.json
    contacts: [it@example.org]
  - {name: service, mode: backend, environment: production, jwks_url: "https://app.example.org/jwks", contacts: [it]}
session: {length: 8 hours, refresh: online}
safeguards: {off_switch: Switch per site, output_lifetime: 4 h, patient_release: Never, subgroups: Age and sex}
output_is_wrong: {detect: a, correct: b, withdraw: c, notify: d, audit: e}
failures:
  {missing_field: a, access_denied: a, needs_review: a, stale: a, duplicate: a, ehr_unavailable: a, truncated: a,
   unknown_modifier: a, merged_patient: a, event_gap: a, own_service_down: a, too_slow: a,
   write_refused: a, write_unknown: a}
review:
  required: true
  states: [{state: proposed, within: 15 minutes, then: the senior's list}]
owners: [{name: Dr Roe, role: Clinical owner}]
"""

ROWS = [
    (
        "status=available]",
        "stattus=available]",
        11,
        "ImagingStudy has no search parameter stattus in R4; did you mean status?",
    ),
    ("http://loinc.org|2", "http://loinc.com|2", 12, "did you mean http://loinc.org?"),
    (
        "modes: [backend]\n    level: system",
        "modes: [standalone]",
        14,
        "ImagingStudy: standalone is no launch mode of this contract",
    ),
    (
        "modes: [backend]\n    level: system",
        "modes: [ehr]\n    level: system",
        15,
        "level system is a backend service's",
    ),
    (
        "modes: [backend]\n    level: system",
        "modes: [backend]\n    level: patient",
        15,
        "level patient belongs to a user's launch",
    ),
    ("path: modality", "path: modallity", 17, "ImagingStudy has no element modallity in R4; did you mean modality?"),
    ("path: modality", "path: started", 17, "ImagingStudy.started is of type dateTime and has no codes"),
    ("ontology/DCM|CT", "ontology/DCN|CT", 17, "did you mean http://dicom.nema.org/resources/ontology/DCM?"),
    ('value_set: "http://example.org/vs/head-ct", ', "", 18, "name its value set or its codes, one of them"),
    (
        'path: modality, codes: ["http://dicom.nema.org/resources/ontology/DCM|CT"]',
        'path: status, codes: ["http://hl7.org/fhir/imagingstudy-status|avilable"]',
        17,
        "no code avilable in R4; did you mean available?",
    ),
    ("field: started", "field: startd", 20, "startd is not among its required fields; did you mean 'started'?"),
    ("field: started", "field: modality", 21, "modality is named twice"),
    ("not_at: [pinecrest]", "not_at: [pinecrst]", 23, "there is no organisation 'pinecrst'; did you mean 'pinecrest'?"),
    ("organization: lakeshore", "organization: gone", 25, "there is no organisation 'gone'"),
    ("organization: lakeshore", "organization: pinecrest", 25, "pinecrest stands under not_at too"),
    ("status=registered]", "sttus=registered]", 25, "ImagingStudy has no search parameter sttus in R4"),
    (
        "search_parameters: [subject]",
        "required_fields: [strted]",
        25,
        "ImagingStudy has no element strted in R4; did you mean started?",
    ),
    (
        "level: user",
        "level: user\n    status_flow: [{state: final}]",
        35,
        "status_flow is about what is written, and this is an input",
    ),
    (
        "state: preliminary",
        "state: preliminry",
        42,
        "preliminry is no status of DiagnosticReport in R4; did you mean preliminary?",
    ),
    ("to: [final, ", "to: [finl, ", 42, "finl is no state of its status_flow; did you mean 'final'?"),
    ("identifier=a|b", "identifer=a|b", 45, "DiagnosticReport has no search parameter identifer in R4"),
    ("based-on=x&code=y", "based-on=x&code", 51, "code is no parameter with a value"),
    ("provenance: false", "if_match: true", 51, "If-Match is of an update, and none is named"),
    ("ORM^O01", "ORM-O01", 53, "ORM-O01 is no HL7 v2 message; write it as ORU^R01"),
    ("direction: in, ", "", 53, "a channel hl7v2 names its message and its direction"),
    ("poll, resource: ImagingStudy", "poll, resource: ImagingStudies", 54, "did you mean ImagingStudy?"),
    ("states: [available], delivery", "states: [final], delivery", 54, "final is no status of ImagingStudy in R4"),
    ("order-sign", "order-sing", 55, "order-sing is no hook that CDS Hooks has; did you mean 'order-sign'?"),
    ("a=Patient/{{x}}", "patient", 55, "patient: write key=query"),
    (
        "dicomweb, resource: ImagingStudy",
        "dicomweb, message: ORU^R01",
        56,
        "message is of a channel hl7v2, and this one is dicomweb",
    ),
    ("mode: ehr\n", "mode: standalone\n", 59, "chart: standalone is no launch mode of this contract"),
    (
        "https://app.example.org/callback",
        "http://app.example.org/callback",
        62,
        "is plain http, and this is production",
    ),
    ("https://app.example.org/callback", "app.example.org", 62, "app.example.org is no whole address"),
    ("name: service", "name: chart", 65, "chart: another client has this name"),
    (
        "mode: backend, environment",
        "mode: backend, launch_url: https://a, environment",
        65,
        "only an EHR launch has a launch address",
    ),
    (
        "direction: in, delivery: at-least-once, latency_seconds: 60",
        "direction: in, organizations: [lakeshor]",
        53,
        "hl7v2: there is no organisation 'lakeshor'; did you mean 'lakeshore'?",
    ),
    (
        "owners: [",
        "approvals: [{by: Roe, organization: hillside, date: 2026-11-01, hash: " + "0" * 64 + "}]\nowners: [",
        76,
        "approval by Roe: there is no organisation 'hillside'; the workspace has lakeshore, pinecrest and riverside",
    ),
    (
        "schema: 2",
        "schema: 1",
        52,
        "channels belongs to schema 2, and this file is of schema 1: run interlock contract upgrade",
    ),
]


def read(text: str) -> tuple[WorkflowContract, list[tuple[int | None, str, bool]]]:
    document = parse_yaml(text, "contract.yaml")
    contract = model_from_yaml(WorkflowContract, document)
    found = remarks(contract, document, ["riverside", "lakeshore", "pinecrest"])
    return contract, [(one.line, one.message, one.wrong) for one in found]


CONTRACT, _FOUND = read(RIGHT)


def test_a_radiology_contract_says_every_trigger_code_and_write_as_data() -> None:
    assert _FOUND == []


@pytest.mark.parametrize(("right", "wrong", "line", "said"), ROWS, ids=[row[3][:40] for row in ROWS])
def test_each_mistake_is_named_with_its_line(right: str, wrong: str, line: int, said: str) -> None:
    assert RIGHT.count(right) == 1
    _, found = read(RIGHT.replace(right, wrong))
    assert any(at == line and said in message and is_wrong for at, message, is_wrong in found), found


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (", says: Time unknown", "without started the product is to degrade, and what it says then is undecided"),
        (", latency_seconds: 300", "how late an event may come"),
        ("off_switch: Switch per site, ", "off switch is undecided"),
        (", write_unknown: a", "write unknown is undecided"),
        ("if_match: true, ", "whether an update names the version that it replaces is undecided"),
        ('if_none_exist: "identifier=a|b", ', "how a repeated create is recognised is undecided"),
        ("moved_by: Radiologist, to: [final", "who moves it on from preliminary is undecided"),
        (
            "    status_flow: [{state: requested, moved_by: Radiologist, to: [completed]}, {state: completed}]\n",
            "Task: its states are undecided (status_flow)",
        ),
        ("    contacts: [it@example.org]\n", "chart: whom the organisation writes to is undecided"),
    ],
)
def test_what_is_left_out_is_undecided(left_out: str, said: str) -> None:
    put = "to: [final" if left_out.startswith("moved_by") else ""
    _, found = read(RIGHT.replace(left_out, put, 1))
    assert any(said in message and not wrong for _, message, wrong in found), found


def test_an_approval_is_of_one_text() -> None:
    approved = RIGHT + f"approvals: [{{by: Dr Roe, date: 2026-11-01, hash: {CONTRACT.hash}}}]\n"
    assert read(approved)[1] == []
    assert read(approved)[0].hash == CONTRACT.hash
    _, found = read(approved.replace("8 hours", "9 hours"))
    assert "Dr Roe approved another text than this one" in found[0][1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("schema: 2", "schema: 3"), "made by a newer Interlock (schema 3; this one reads up to 2)"),
        (("kind: poll", "kind: pager"), "contract.yaml:54:"),
        (("then: stop", "then: guess"), "contract.yaml:21:"),
        (("query: [status=available]", "query: [available]"), "contract.yaml:11:"),
        (("refresh: online", "refresh: always"), "contract.yaml:66:"),
    ],
)
def test_what_no_contract_can_say_is_refused_with_its_line(change: tuple[str, str], said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(RIGHT.replace(*change))
    assert said in str(caught.value)


def test_reads_and_writes_are_scopes_of_their_own_at_the_level_of_their_launch() -> None:
    assert needed_scopes(CONTRACT, "backend") == (
        "system/DiagnosticReport.cu",
        "system/ImagingStudy.s",
        "system/Provenance.c",
        "system/Task.c",
    )
    assert needed_scopes(CONTRACT, "ehr") == (
        "launch",
        "openid",
        "fhirUser",
        "online_access",
        "patient/DiagnosticReport.cu",
        "patient/Provenance.c",
        "patient/Task.c",
        "user/Observation.s",
    )
    assert set(needed_scopes(CONTRACT)) == {*needed_scopes(CONTRACT, "backend"), *needed_scopes(CONTRACT, "ehr")}


def test_fit_takes_a_need_as_the_organisation_has_it() -> None:
    declared = ResourceFacts(interactions=("search-type",), search_params=("patient", "status"))
    statement = CapabilityFacts(fhir_version="4.0.1", fhir_release="R4", resources={"ImagingStudy": declared})
    seen = Observation(
        target=Target(base_url="https://ehr.example.org/fhir"),
        started=datetime(2026, 11, 1, tzinfo=UTC),
        elapsed_ms=1,
        outcome="observed",
        facts=Facts(capability=statement),
    )

    def parameters(org: str) -> dict[str, str]:
        fit = match_contract(CONTRACT, Organization(id=org, name=org), seen)
        found = [match for match in fit.matches if match.resource == "ImagingStudy"]
        return {match.name: match.outcome for match in found if match.kind == "search_parameter"}

    assert parameters("riverside") == {"patient": "supported", "status": "supported"}
    assert parameters("lakeshore") == {"subject": "missing", "status": "supported"}
    assert parameters("pinecrest") == {}


def test_fit_is_told_by_launch_mode_too() -> None:
    fit = match_contract(CONTRACT, Organization(id="riverside", name="Riverside"), None)

    def names(mode: LaunchMode) -> set[str]:
        return {
            f"{match.resource}.{match.name}" if match.resource else match.name for match in fit.of_mode(mode).matches
        }

    assert {"ImagingStudy.status", "system/ImagingStudy.s", "backend"} <= names("backend") - names("ehr")
    assert {"Observation.category", "user/Observation.s", "ehr", "openid"} <= names("ehr") - names("backend")
    assert {"DiagnosticReport.create", "R4"} <= names("ehr") & names("backend")
    assert names("ehr") | names("backend") == {
        f"{match.resource}.{match.name}" if match.resource else match.name for match in fit.matches
    }


def test_everything_stands_on_the_page_that_is_signed() -> None:
    page = workflow_markdown(CONTRACT, "Prism")
    for said in (
        "ORM^O01",
        "order-sign",
        "status=available",
        "query status=registered",
        "If-None-Exist: based-on=x",
        "degrade: Time unknown",
        "Switch per site",
        "Dr Roe",
        "15 minutes",
        "https://app.example.org/jwks.json",
        "8 hours",
        "write unknown",
        "http://example.org/vs/head-ct",
        CONTRACT.hash,
    ):
        assert said.lower() in page.replace("\\", "").lower(), said


FIRST = """\
# Ours, and nobody else's.

version: "1.2"   # raise it
title: 'Early warning'
inputs:
  - {resource: Patient, interactions: [read], required_fields: [birthDate], when_missing: No score}  # adults
outputs: []
"""


def test_an_upgrade_keeps_every_comment(tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(FIRST)
    before = load_contract(path)[0]
    changed, found = upgrade_contract(Workspace(tmp_path))
    assert changed and any(one.message == "truncated is undecided" for one in found)
    after = load_contract(path)[0]
    assert after.schema_version == 2 and after.hash == before.hash
    assert set(path.read_text().splitlines()) ^ set(FIRST.splitlines()) == {"schema: 2"}
    text = path.read_text()
    assert upgrade_contract(Workspace(tmp_path))[0] is False and path.read_text() == text


SAMPLES = sorted(path.parent.name for path in (data_dir("samples") / "templates").glob("*/contract.yaml"))


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_contracts_have_no_mistake_and_approvals_are_of_their_text(name: str) -> None:
    folder = data_dir("samples") / "templates" / name
    contract, document = load_contract(folder / "contract.yaml")
    found = remarks(contract, document, [path.stem for path in folder.glob("orgs/*.yaml")])
    assert contract.schema_version == 2
    assert [one for one in found if one.wrong] == []
    assert [one.message for one in found if "approved another text" in one.message] == []
    undecided = {"blank", "early", "fuzzy-contract", "too-early"}
    assert bool(found) == (name in undecided)


def test_the_demo_says_every_part_that_schema_2_has() -> None:
    contract, _ = load_contract(data_dir("samples") / "templates" / "sepsis" / "contract.yaml")
    needs = (*contract.inputs, *contract.outputs)
    for name in ("modes", "query", "code", "binding", "missing", "not_at", "here", "per_day", "status_flow"):
        assert any(getattr(need, name) for need in needs), name
    for name in ("clients", "channels", "owners", "approvals"):
        assert getattr(contract, name), name
    assert contract.session.refresh and contract.review.states
    assert all(value for group in (contract.failures, contract.safeguards) for _, value in group)
    assert {(one.mode, one.environment) for one in contract.clients} == {
        (mode, environment) for mode in contract.launch.modes for environment in ("non-production", "production")
    }


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["preliminary", "final", "amended", "entered-in-error"], None),
        (["current", "superseded", "entered-in-error"], None),
        (["entered-in-error"], None),
        (["preliminary", "current"], "current is no docStatus of DocumentReference in R4"),
        (["preliminary", "finl"], "finl is no docStatus of DocumentReference in R4; did you mean final?"),
        (["curent"], "curent is no status of DocumentReference in R4; did you mean current?"),
    ],
)
def test_a_documents_states_are_of_its_status_or_of_its_doc_status(states: list[str], said: str | None) -> None:
    flow = ", ".join(f"{{state: {state}}}" for state in states)
    text = RIGHT.replace("outputs:\n", f"outputs:\n  - {{resource: DocumentReference, status_flow: [{flow}]}}\n")
    wrong = [message for _, message, is_wrong in read(text)[1] if is_wrong]
    assert wrong == ([said] if said else [])
