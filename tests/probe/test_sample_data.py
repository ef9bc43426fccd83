"""Samples: counts of what the contract reads, and never a patient's value in anything that is kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from credential_cases import (
    NEEDS,
    OBSERVATIONS,
    PATIENT,
    PERSONAL,
    TOKEN,
    bundle,
    check,
    credentials,
    guarded,
    issued,
    organization,
    sampled,
    written,
)
from hypothesis import given
from hypothesis import strategies as st
from probe_documents import SMART, STATEMENT
from probe_loopback import Loopback, Reply, as_json

from interlock.contract.load import load_contract
from interlock.fhir.sampling import has_field, seen_in
from interlock.model.contract import Need
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.model.sample import InputSample
from interlock.probe.checks.registry import list_checks
from interlock.probe.credentials import Access, resolve
from interlock.probe.recheck import recheck
from interlock.probe.runner import probe_sync
from interlock.probe.sample import MAX_REQUESTS, SamplePlan
from interlock.probe.settings import ProbeSettings
from interlock.sandbox.client import CLIENT_ID, KEY_ID, client_private_key_pem
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.server import SandboxServer
from interlock.usecases.credentials import sample_plans

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = load_contract(ROOT / "samples/templates/sepsis/contract.yaml")[0]


def sandbox_access() -> Access:
    org = organization(client_id_env="ID", private_key_env="KEY", key_id_env="KID")
    return Access(resolve(org, {"ID": CLIENT_ID, "KEY": client_private_key_pem(), "KID": KEY_ID}.get))


@pytest.fixture(scope="module")
def riverside() -> Observation:
    """The sandbox's Riverside, sampled for the whole contract of the sample workspace."""
    plan = SamplePlan(sandbox_access(), CONTRACT.inputs)
    with SandboxServer(tls_faults=False) as server:
        target = Target(base_url=server.base_url("riverside"), org="riverside")
        return probe_sync([target], ProbeSettings(samples={"riverside": plan}))[0]


def inputs(observation: Observation) -> dict[str, InputSample]:
    assert observation.facts.data is not None
    return {one.name: one for one in observation.facts.data.inputs}


def personal_values(resource: Any, name: str = "") -> set[str]:
    """Every text and number of a resource but FHIR's own words: codes, statuses, types and addresses of systems."""
    public = {"resourceType", "status", "system", "use", "url", "mode", "docStatus", "gender", "contentType", "profile"}
    if isinstance(resource, dict):
        return {value for key, child in resource.items() if key not in public for value in personal_values(child, key)}
    if isinstance(resource, list):
        return {value for child in resource for value in personal_values(child, name)}
    return {str(resource)} if isinstance(resource, str) else set()


def test_no_value_of_a_sandbox_patient_is_kept(riverside: Observation) -> None:
    """Names, identifiers, ids, birth dates, texts, displays, values: nothing of a resource is in the observation."""
    everything = written(riverside)
    with SandboxServer(tls_faults=False) as server:  # words of the statement, as long as no patient was read
        discovered = written(probe_sync([Target(base_url=server.base_url("riverside"))], ProbeSettings())[0])
    resources = next(one for one in load_organizations() if one.id == "riverside").resources
    of_people = [one for one in resources if one["resourceType"] not in {"Location", "Organization"}]
    values = {value for one in of_people for value in personal_values(one)}
    checked = {value for value in values if len(value) >= 5 and value not in discovered}
    assert len(checked) > 100
    assert {value for value in checked if value in everything} <= {"active", "final", "laboratory", "vital-signs"}


def test_every_input_of_the_contract_is_counted(riverside: Observation) -> None:
    seen = inputs(riverside)
    stored = next(one for one in load_organizations() if one.id == "riverside").resources

    def of(kind: str, category: str = "") -> list[dict[str, Any]]:
        return [
            one for one in stored if one["resourceType"] == kind and category in json.dumps(one.get("category", ""))
        ]

    assert seen["Patient"].count == len(of("Patient"))
    vital = seen["Observation (vital-signs)"]
    expected = of("Observation", "vital-signs")
    assert vital.count == len(expected)
    assert vital.fields["valueQuantity.value"] == sum("value" in one.get("valueQuantity", {}) for one in expected)
    assert vital.systems["http://loinc.org"] == len(expected)
    laboratory = seen["Observation (laboratory)"]
    assert laboratory.statuses == {"final": 6, "preliminary": 1}
    assert sum(laboratory.statuses.values()) == len(of("Observation", "laboratory"))
    assert seen["MedicationAdministration"].outcome == "empty"
    assert check(riverside, "DATA-002")[0] == "pass"
    outcome, message = check(riverside, "DATA-003")
    assert outcome == "warn"
    assert "Observation (vital-signs).valueQuantity.value in 3 of 12" in message
    assert check(riverside, "DATA-004")[0] == "pass"


def test_reads_are_bounded_gets_whose_patients_are_left_out(riverside: Observation) -> None:
    reads = [record for record in riverside.requests if record.purpose == "sample"]
    assert 0 < len(reads) <= MAX_REQUESTS
    assert {record.method for record in reads} == {"GET"}
    assert all("_count=20" in record.url and record.sha256 is None and not record.headers for record in reads)
    assert any("patient=(left-out)" in record.url for record in reads)


def test_the_sample_stays_when_the_rest_is_judged_again(riverside: Observation, loopback: Loopback) -> None:
    seen = sampled(serve(loopback), credentials("client_secret_basic"))
    smart = SMART | {"token_endpoint": f"{loopback.origin}/token"}
    bodies = {hashlib.sha256(body).hexdigest(): body for body in (as_json(STATEMENT).body, as_json(smart).body)}
    again = recheck(seen, bodies)
    names = [spec.id for spec in list_checks() if spec.family in {"DATA", "AUTH"}]
    assert [check(again, name) for name in names] == [check(seen, name) for name in names]
    assert {check(again, name)[0] for name in names if name.startswith("AUTH")} == {"not_applicable"}
    assert again.facts.data == seen.facts.data


def serve(loopback: Loopback, **others: Any) -> str:
    smart = SMART | {"token_endpoint": f"{loopback.origin}/token"}
    routes: dict[str, Any] = {
        "token": issued(),
        "fhir/Patient": guarded(as_json(bundle(PATIENT))),
        "fhir/Observation": guarded(as_json(bundle(*OBSERVATIONS))),
    }
    return loopback.serve(as_json(STATEMENT), as_json(smart), **(routes | others))


def test_hostile_values_in_odd_places_are_not_kept(loopback: Loopback, capfd: pytest.CaptureFixture[str]) -> None:
    """A name as a status, an id inside a code system's address: counted as ``other``."""
    events: list[str] = []
    seen = sampled(
        serve(loopback), credentials("client_secret_basic"), on_event=lambda event: events.append(repr(event))
    )
    observation = inputs(seen)["Observation"]
    assert observation.count == 2
    assert observation.statuses == {"final": 1, "other": 1}
    assert observation.systems == {"http://loinc.org": 1, "http://unitsofmeasure.org": 1, "other": 1}
    assert observation.fields == {"status": 2, "value[x]": 1, "subject.reference": 2}
    out, err = capfd.readouterr()
    for value in (*PERSONAL, TOKEN):
        assert value not in "".join([written(seen), *events, out, err]), value
    asked = loopback.asked("/fhir/Observation")
    assert len(asked) == 1
    assert "patient=pat-90210-x" in asked[0].target


ODD: dict[str, tuple[Reply, str]] = {
    "refused": (
        as_json({"resourceType": "OperationOutcome", "issue": [{"diagnostics": "Quillfeather"}]}, 403),
        "refused",
    ),
    "rejected": (
        as_json({"resourceType": "OperationOutcome", "issue": [{"diagnostics": "Quillfeather"}]}, 400),
        "rejected",
    ),
    "failed": (Reply(b"Quillfeather", 500, "text/plain; name=Quillfeather"), "failed"),
    "slow down": (Reply(b"", 429, None, {"Retry-After": "3"}), "failed"),
    "a page": (Reply(b"<html>Quillfeather", 200, "text/html"), "failed"),
    "one resource": (as_json(PATIENT), "failed"),
    "nothing": (as_json({"resourceType": "Bundle"}), "empty"),
    "another type": (as_json(bundle({"resourceType": "OperationOutcome"})), "empty"),
    "rubbish": (as_json({"resourceType": "Bundle", "entry": [None, 3, {"resource": 4}, {"resource": []}]}), "empty"),
    "a header": (Reply(b"", 403, None, {"WWW-Authenticate": "Quillfeather", "ETag": "Quillfeather"}), "refused"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_sample_is_named_without_a_word_of_the_server(loopback: Loopback, name: str) -> None:
    answer, outcome = ODD[name]
    seen = sampled(serve(loopback, **{"fhir/Patient": answer}), credentials("client_secret_basic"), NEEDS[:1])
    assert inputs(seen)["Patient"].outcome == outcome
    assert "Quillfeather" not in written(seen)
    assert check(seen, "DATA-002")[0] == (
        "fail" if outcome == "refused" else "not_observed" if outcome != "empty" else "pass"
    )
    assert check(seen, "DATA-006")[0] == ("not_observed" if outcome == "refused" else "warn")


def test_no_page_costs_more_than_the_limit(loopback: Loopback) -> None:
    many = tuple(
        Need(resource=f"Thing{letter}", interactions=("search",), search_parameters=("patient",))
        for letter in "ABCDEFGHIJKLMNOP"
    )
    patients = [PATIENT | {"id": f"p{number}"} for number in range(50)]
    routes = {f"fhir/{need.resource}": guarded(as_json(bundle())) for need in many}
    base = serve(loopback, **routes, **{"fhir/Patient": guarded(as_json(bundle(*patients)))})
    seen = sampled(base, credentials("client_secret_basic"), (*NEEDS[:1], *many))
    assert sum("/fhir/Thing" in request.target for request in loopback.requests) + 1 == MAX_REQUESTS
    assert seen.facts.data is not None
    assert seen.facts.data.requests == MAX_REQUESTS
    assert seen.facts.data.inputs[-1].outcome == "not_asked"


def test_without_sample_nothing_is_read(loopback: Loopback) -> None:
    seen = probe_sync([Target(base_url=serve(loopback), org="acme")], ProbeSettings(active=True))[0]
    assert seen.facts.data is None
    assert check(seen, "DATA-001") == ("not_applicable", "Not applicable: looked at with credentials and --sample only")
    assert not [one for one in loopback.requests if one.path in {"/fhir/Patient", "/fhir/Observation"}]


def test_a_sample_never_asks_for_the_right_to_write(loopback: Loopback) -> None:
    writes = Need(resource="Patient", interactions=("read", "create", "update"))
    seen = sampled(serve(loopback), credentials("client_secret_basic"), (writes,))
    assert seen.facts.data is not None
    assert seen.facts.data.token is not None
    assert set(seen.facts.data.token.asked) <= {"system/Patient.rs", "system/Patient.read"}


def test_plans_are_made_for_those_who_have_credentials(tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(
        "version: '1'\ntitle: T\ninputs:\n  - {resource: Patient, interactions: [read], organizations: [acme]}\n"
    )
    acme = organization(bearer_token_env="ACME_TOKEN")
    other = organization(bearer_token_env="OTHER_TOKEN").model_copy(update={"id": "other", "name": "Other"})
    found = sample_plans(tmp_path, [acme, other], {"ACME_TOKEN": "abc-def"}.get)
    assert found.plans["acme"].access.credentials is not None
    assert [need.resource for need in found.plans["acme"].needs] == ["Patient"]
    assert found.plans["other"].needs == ()
    assert "OTHER_TOKEN" in found.without["other"]
    assert "abc-def" not in repr(found)
    with pytest.raises(InterlockError, match="ACME_TOKEN is not set"):
        sample_plans(tmp_path, [acme], {}.get)
    (tmp_path / "contract.yaml").unlink()
    with pytest.raises(InterlockError, match=r"no contract\.yaml"):
        sample_plans(tmp_path, [acme], {}.get)


@pytest.mark.parametrize(
    ("resource", "path", "there"),
    [
        ({"period": {"start": "2020"}}, "period.start", True),
        ({"period": {}}, "period.start", False),
        ({"name": [{}, {"family": "x"}]}, "name.family", True),
        ({"valueQuantity": {"value": 0}}, "valueQuantity.value", True),
        ({"valueQuantity": {"value": 0}}, "value[x]", True),
        ({"valueSet": 1, "values": 2}, "value[x]", True),
        ({"values": 2}, "value[x]", False),
        ({"active": False}, "active", True),
        ({"text": ""}, "text", False),
        ({"code": None}, "code", False),
        ({"code": []}, "code", False),
        (
            {"code": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}},
            "code",
            False,
        ),
        ({"_birthDate": {"extension": []}}, "birthDate", False),
    ],
)
def test_when_a_field_is_there(resource: dict[str, Any], path: str, there: bool) -> None:
    assert has_field(resource, path) is there


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["system", "code", "coding", "status", "id", "value", "name", "extension"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["status", "code", "name", "id", "clinicalStatus"]), json_values), max_size=3
    )
)
def test_no_resource_can_break_the_counting(resources: list[dict[str, Any]]) -> None:
    seen = seen_in(resources, ["code", "code.coding.system", "value[x]"])
    assert seen.count == len(resources)
    assert all(0 <= number <= seen.count for number in (*seen.fields.values(), *seen.systems.values()))
