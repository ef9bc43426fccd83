"""The pages beside the client, and the examples of outputs: text stays text, and examples are valid FHIR."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from interlock.contract.load import load_contract
from interlock.contract.resolve import resolve
from interlock.contract.skeletons.auth_matrix import auth_page
from interlock.contract.skeletons.examples import examples
from interlock.contract.skeletons.failure_modes import CLIENT_ERRORS, failures_page
from interlock.contract.skeletons.readme import README, readme
from interlock.contract.skeletons.tested import endpoints_page, plan_page
from interlock.fhir.validation import validate
from interlock.model import contract as model
from interlock.model.contract import (
    ClinicalEvent,
    Failures,
    Launch,
    Need,
    ProductEndpoint,
    WorkflowContract,
)
from interlock.model.contract_parts import FieldBinding, MissingField, Owner, Writing
from interlock.model.organization import Organization
from interlock.sandbox.organizations import load_organizations
from tiers import rounds

ROOT = Path(__file__).resolve().parents[2]
#: Every sample's contract, and those that were written for tests.
CONTRACTS = {
    **{path.parent.name: path for path in sorted((ROOT / "samples" / "templates").glob("*/contract.yaml"))},
    **{path.stem: path for path in sorted((ROOT / "tests" / "contract" / "contracts").glob("*.yaml"))},
}
BUILDERS = (auth_page, failures_page, endpoints_page, plan_page, readme)
HOSTILE = (
    "| a | b |",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "`code` ``two``",
    "a\n\n# Title\n\n| x |",
    "--- \n---",
    "https://evil.example www.evil.example me@evil.example",
    "&lt;b&gt; \\| \\`",
    "{{ 7*7 }}",
    "\u202eתוב",
)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)).filter(
    str.strip
)
PARSER = MarkdownIt("gfm-like", {"linkify": False})


def hostile(text: str) -> WorkflowContract:
    """A contract whose author wrote a text wherever one may stand on a page."""
    need = Need(
        resource="Observation",
        purpose=text,
        profile=text,
        interactions=("read", "search", "create", "update"),
        search_parameters=("patient", text),
        operations=(text,),
        required_fields=("status", text),
        binding=(FieldBinding(path=text, codes=("urn:x|y",)),),
        missing=(MissingField(field=text, then="ask", says=text),),
        writing=Writing(if_none_exist=text),
    )
    return WorkflowContract(
        version=text,
        title=text,
        clinical_event=ClinicalEvent(trigger=text, actor=text, setting=text),
        launch=Launch(modes=("ehr", "standalone", "backend"), context=("patient",)),
        inputs=(need,),
        outputs=(need,),
        failures=Failures(**dict.fromkeys(Failures.model_fields, text)),
        endpoints=(ProductEndpoint(path=text, audience=text, carries_phi=True, authentication=text),),
        test_path=(model.TestPathEntry(behaviour=text, where="simulate", why=text),),
        owners=(Owner(name=text, role=text, part=text),),
    )


@settings(max_examples=rounds(15, 1000))
@example("a | b\n<img src=x onerror=alert(1)>")
@given(TEXTS)
def test_what_was_written_begins_nothing_on_a_page(text: str) -> None:
    """No link, image, HTML, heading or cell comes of it: a page has the structure that it has for any plain word."""
    assert structures(text) == structures("word")


def structures(text: str) -> list[list[str]]:
    org = Organization.model_validate({"id": "here", "name": text[:200], "fhir_base_url": "sandbox://riverside"})
    resolved = resolve(hostile(text), (org,), {}, product=text, description=None, made="2026-11-22")
    return [structure(page) for build in BUILDERS for page in build(resolved).values()]


def structure(page: str) -> list[str]:
    """Kinds of everything on a page but text, and how it is nested."""
    return [
        kind
        for token in PARSER.parse(page)
        for kind in (token.type, *(child.type for child in token.children or ()))
        if kind not in {"text", "text_special", "softbreak"}
    ]


@pytest.mark.parametrize("name", CONTRACTS)
def test_examples_of_a_sample_are_valid(name: str) -> None:
    """Once the suite has filled them in, by FHIR's own models."""
    contract, _ = load_contract(CONTRACTS[name])
    for path, text in examples(contract).items():
        filled = text.replace("{now}", "2026-11-30T08:00:00Z").replace("{patient}", "1")
        resource = json.loads(filled.replace("{encounter}", "2").replace("{ready_code}", "ready"))
        found = validate(resource, contract.fhir_release)
        assert not found.problems, path
        for need in contract.outputs:
            if need.resource == resource["resourceType"] and path.endswith(f"{need.resource.lower()}.json"):
                assert {field.partition(".")[0] for field in need.required_fields} <= resource.keys()


def test_an_example_has_the_contracts_codes_and_what_it_is_recognised_by() -> None:
    contract = WorkflowContract(
        version="1",
        title="Examples",
        outputs=(
            Need(
                resource="DocumentReference",
                interactions=("create",),
                required_fields=("context.encounter", "no.such.path"),
                writing=Writing(if_none_exist="patient={patient}&type=http://loinc.org|34109-9&date={window}"),
            ),
            Need(
                resource="Task",
                interactions=("create",),
                required_fields=("for", "focus"),
                writing=Writing(if_none_exist="identifier=https://example.org/task|{uid}"),
            ),
        ),
    )
    made = json.loads(examples(contract)["tests/examples/document_reference.json"])
    assert made["type"] == {"coding": [{"system": "http://loinc.org", "code": "34109-9"}]}
    assert made["date"] == "{now}"
    assert made["context"]["encounter"] == [{"reference": "Encounter/{encounter}"}]
    assert "no" not in made
    task = json.loads(examples(contract)["tests/examples/task.json"])
    assert task["identifier"] == [{"system": "https://example.org/task", "value": "{uid}"}]
    assert (task["for"], task["focus"]) == ({"reference": "Patient/{patient}"}, {"display": "Example"})


def test_no_page_names_a_test_that_the_contract_gives_nothing_to() -> None:
    """An output that is only updated, and no patient to be merged: a person looks."""
    contract = WorkflowContract(
        version="1",
        title="T",
        inputs=(Need(resource="Encounter", interactions=("read",)),),
        outputs=(Need(resource="Task", interactions=("update",), required_fields=("status",)),),
        failures=Failures(**dict.fromkeys(Failures.model_fields, "words")),
    )
    made = resolve(contract, (), {}, product="P", description=None, made="2026-11-22")
    pages = "".join((*failures_page(made).values(), *plan_page(made).values()))
    assert "test_outputs.py" not in pages
    assert "test_failures.py::test_nothing_is_written_without" not in pages
    assert "test_client_does_what_the_contract_says" not in pages
    assert "no need of the contract can meet it" in pages


def test_each_failure_that_the_client_knows_is_one_of_the_contract() -> None:
    assert CLIENT_ERRORS.keys() <= Failures.model_fields.keys()
    client = (ROOT / "skeletons/client/fhir_client.py").read_text()
    scenarios = (ROOT / "skeletons/tests/test_failures.py").read_text()
    listed = (ROOT / "skeletons/tests/conftest.py").read_text().partition("FAILURES = (")[2].partition("\n)")[0]
    for failure, error in CLIENT_ERRORS.items():
        assert f"class {error}(" in client
        assert f'"{failure}": (' in scenarios
        assert f'"{failure}"' in listed


@pytest.mark.parametrize("hospital", [one.id for one in load_organizations() if one.listen])
def test_the_readme_names_a_patient_who_is_there(hospital: str) -> None:
    org = Organization.model_validate({"id": "ours", "name": "Ours", "fhir_base_url": f"sandbox://{hospital}"})
    contract = WorkflowContract(version="1", title="T", inputs=(Need(resource="Encounter", interactions=("search",)),))
    page = readme(resolve(contract, (org,), {}, product="P", description=None, made="2026-11-22"))[README]
    patients = [
        record["id"]
        for one in load_organizations()
        if one.id == hospital
        for record in one.resources
        if record["resourceType"] == "Patient"
    ]
    assert any(f"PATIENT={patient}\n" in page for patient in patients)
    assert "get ours encounter" in page


def test_without_a_simulated_hospital_the_readme_says_so() -> None:
    org = Organization.model_validate({"id": "ours", "name": "Ours", "fhir_base_url": "https://ehr.example.org/fhir"})
    contract = WorkflowContract(version="1", title="T")
    page = readme(resolve(contract, (org,), {}, product="P", description=None, made="2026-11-22"))[README]
    assert "no organisation of the contract is a simulated one" in page
    assert "`FHIR_OURS_CLIENT_ID`" in page
