"""Two contracts of our own, of a reader of chest pictures and of a scribe: what starts them, what they read and write.

Where the hospital offers it their exported suites are green with nothing left out, and elsewhere red at the tests of
what the fit says is missing.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exported_suite import (
    CONTRACTS,
    OBSERVATIONS,
    ORGS,
    PAGES,
    PATIENTS,
    exported,
    missing_at,
    module_of,
    observed,
    registered,
    run,
    signed_in,
)
from interlock.contract.load import load_contract, remarks
from interlock.contract.match import match_contract
from interlock.contract.resolve import resolve
from interlock.contract.skeletons import build
from interlock.contract.skeletons.suite import id_of_test
from interlock.model.organization import Organization
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What each contract is exported as."""
    return {name: exported(name, tmp_path_factory.mktemp(name)) for name in CONTRACTS}


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer([one for one in load_organizations() if one.id in ORGS]) as running:
        yield running


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_of_our_own_leaves_nothing_open_and_fits_where_all_of_it_is_offered(name: str) -> None:
    contract, document = load_contract(CONTRACTS[name])
    assert not remarks(contract, document, [*ORGS])
    fits = {org: match_contract(contract, ORGS[org], OBSERVATIONS[org]) for org in ORGS}
    assert {match.outcome for match in fits["summerfield"].matches} == {"supported"}
    assert "missing" in {match.outcome for match in fits["pinecrest"].matches}


def test_radiology_is_green_at_a_hospital_with_a_department_of_it(
    folders: dict[str, Path], server: SandboxServer
) -> None:
    """Studies, orders, reports and work lists, by a backend token: nothing is skipped."""
    folder, base = folders["radiology"], server.base_url("summerfield")
    options = ("--patient", PATIENTS["summerfield"], "--write")
    variables = registered(module_of(folder), "summerfield", base)
    found = run(folder, "summerfield", base, *options, variables=variables)
    assert found.code == 0, found.output
    assert found.having("passed") == found.outcomes.keys(), "no test is left out"
    for need in ("service_request", "imaging_study", "diagnostic_report", "patient"):
        assert id_of_test("records", "is_read", need) in found.outcomes
    for need in ("diagnostic_report_output", "task"):
        assert id_of_test("outputs", "moves_through_its_states", need) in found.outcomes
    assert id_of_test("records", "codes_are_understood", "imaging_study", "series.modality") in found.outcomes
    for page in PAGES:
        named = set(re.findall(r"`(tests/[^`]+)`", (folder / page).read_text("utf-8")))
        assert not {one for one in named if "::" in one} - set(found.outcomes), page


@pytest.mark.long
def test_a_scribe_is_green_with_the_token_of_a_launch(
    folders: dict[str, Path], server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the chart, with its visit: what is skipped is about a backend token, or the scopes of one that was given."""
    folder, base = folders["scribe"], server.base_url("summerfield")
    scribe = module_of(folder)
    with signed_in(scribe, server, "summerfield", monkeypatch) as opened:
        token = opened.token.value
    options = ("--patient", PATIENTS["summerfield"], "--encounter", "sf-gwen-clinic", "--write")
    options += ("--token-variable", "OURS")
    found = run(folder, "summerfield", base, *options, variables={"OURS": token})
    assert found.code == 0, found.output
    backend = {id_of_test("token", name) for name in ("backend_token_is_given", "another_key_is_refused")}
    needs = ("encounter", "patient", "condition")
    unknown = {id_of_test("token", "scopes_are_granted", name) for name in (*needs, "document_reference")}
    assert found.outcomes.keys() - found.having("passed") == backend | unknown, found.output
    assert "Warning" not in found.output
    for need in needs:
        assert id_of_test("records", "is_read", need) in found.outcomes
    assert id_of_test("outputs", "newer_version_is_not_overwritten", "document_reference") in found.having("passed")
    assert token not in found.output


@pytest.mark.long
@pytest.mark.parametrize("name", CONTRACTS)
def test_it_is_red_where_it_is_not_offered(name: str, folders: dict[str, Path], server: SandboxServer) -> None:
    options = ("--any-release", "--patient", PATIENTS["pinecrest"])
    found = run(folders[name], "pinecrest", server.base_url("pinecrest"), *options)
    assert found.code == 1
    assert found.having("failure") == missing_at(folders[name], "pinecrest"), found.output
    assert not found.having("error")


@pytest.mark.long
def test_a_statement_that_contradicts_a_condition_of_a_write_is_red(folders: dict[str, Path]) -> None:
    """Of a Task it says that no create is conditional and nothing has a version; of reports it says nothing."""
    summerfield = next(one for one in load_organizations() if one.id == "summerfield")
    statement = copy.deepcopy(summerfield.metadata)
    assert statement is not None
    types = {entry["type"]: entry for entry in statement["rest"][0]["resource"]}
    types["Task"] |= {"conditionalCreate": False, "versioning": "no-version"}
    del types["DiagnosticReport"]["conditionalCreate"], types["DiagnosticReport"]["versioning"]
    with SandboxServer([summerfield.model_copy(update={"metadata": statement})]) as altered:
        found = run(folders["radiology"], "summerfield", altered.base_url("summerfield"), "--patient", "sf-gwen")
    headers = ("If-None-Exist", "If-Match")
    assert found.having("failure") == {
        id_of_test("statement", "is_declared", "task", "condition", one) for one in headers
    }
    silent = {id_of_test("statement", "is_declared", "diagnostic_report_output", "condition", one) for one in headers}
    assert silent <= found.having("skipped")
    assert 'of If-Match the statement says versioning "no-version"' in found.output


def test_the_readme_leads_to_the_hospital_that_fits_best() -> None:
    """Riverside takes registrations too, and comes first: it has no reports to write."""
    orgs = [
        Organization.model_validate({"id": name, "name": name, "fhir_base_url": f"sandbox://{name}"})
        for name in ("pinecrest", "riverside", "summerfield")
    ]
    observations = OBSERVATIONS | {"riverside": observed("riverside")}
    contract, _ = load_contract(CONTRACTS["radiology"])
    made = resolve(contract, orgs, observations, product="P", description=None, made="2026-11-30")
    assert "interlock sandbox --orgs summerfield --port 8765" in build(made)["README.md"]


def test_what_starts_a_contract_is_exported_without_prose(folders: dict[str, Path]) -> None:
    """The order of HL7 v2, the hook, the study, the subscription."""
    services = json.loads((folders["radiology"] / "cds-services.json").read_text("utf-8"))["services"]
    assert [one["hook"] for one in services] == ["order-select"]
    messages = {path.name: path.read_text("utf-8") for path in (folders["radiology"] / "messages").iterdir()}
    assert any("ORM^O01" in text for text in messages.values()), sorted(messages)
    for name, steps in {"radiology": ("dicomweb ImagingStudy",), "scribe": ("fhir-subscription Encounter",)}.items():
        diagram = (folders[name] / "workflow.mmd").read_text("utf-8")
        assert all(step in diagram for step in steps)
