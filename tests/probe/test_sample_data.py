"""Samples: counts of what the contract reads, and never a patient's value in anything that is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

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
from probe_loopback import Loopback, Reply, Request, as_json

from interlock.contract.load import load_contract
from interlock.fhir.sampling import Wanted, count_resources
from interlock.model.contract import Need
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.model.sample import InputSample
from interlock.probe.checks.registry import list_checks
from interlock.probe.recheck import recheck
from interlock.probe.sample import MAX_REQUESTS
from interlock.probe.transport.credentials import Credentials, resolve
from interlock.probe.transport.settings import ProbeSettings, SamplePlan
from interlock.sandbox.client import CLIENT_ID, KEY_ID
from interlock.sandbox.organizations import SimulatedOrganization, load_organizations
from interlock.sandbox.people import population
from interlock.sandbox.server import SandboxServer
from interlock.usecases.trust import credential_grants, sample_plans
from sandbox_client import client_private_key_pem
from typed_targets import probe_sync

pytestmark = pytest.mark.fast

#: Codes of FHIR's own required value sets, and categories that a search asks for.
FHIR_CODES = {"active", "confirmed", "final", "laboratory", "provisional", "vital-signs"}
#: Types that are searched by patient, of which no second search is known.
PATIENT_TYPES = (
    *("Account", "AdverseEvent", "AllergyIntolerance", "Appointment", "Basic", "BodyStructure", "ChargeItem", "Claim"),
    *("ClinicalImpression", "Communication", "Composition", "Consent", "Coverage", "DeviceRequest", "Encounter"),
    *("EpisodeOfCare", "FamilyMemberHistory", "Flag", "Goal", "Immunization", "ImagingStudy", "Invoice"),
)
ROOT = Path(__file__).resolve().parents[2]
CONTRACT = load_contract(ROOT / "samples/templates/sepsis/contract.yaml")[0]


def sandbox_credentials() -> Credentials:
    org = organization(client_id_env="ID", private_key_env="KEY", key_id_env="KID")
    return resolve(org, {"ID": CLIENT_ID, "KEY": client_private_key_pem(), "KID": KEY_ID}.get, None)


def few() -> SimulatedOrganization:
    """Riverside with two patients: fewer than a sample looks at, so that everything can be counted."""
    whole = next(organization for organization in load_organizations() if organization.id == "riverside")
    left_out = population("riverside")
    return whole.model_copy(update={"resources": tuple(entry for entry in whole.resources if entry not in left_out)})


@pytest.fixture(scope="module")
def riverside() -> Observation:
    """The sandbox's Riverside, sampled for the whole contract of the sample workspace."""
    plan = SamplePlan(sandbox_credentials(), CONTRACT.inputs)
    with SandboxServer([few()]) as server:
        target = Target(base_url=server.base_url("riverside"), org="riverside")
        return probe_sync([target], ProbeSettings(samples={"riverside": plan}))[0]


def inputs(observation: Observation) -> dict[str, InputSample]:
    assert observation.facts.data is not None
    return {sample.name: sample for sample in observation.facts.data.inputs}


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
    with SandboxServer() as server:  # words of the statement, as long as no patient was read
        discovered = written(probe_sync([Target(base_url=server.base_url("riverside"))], ProbeSettings())[0])
    resources = few().resources
    of_people = [resource for resource in resources if resource["resourceType"] not in {"Location", "Organization"}]
    values = {value for resource in of_people for value in personal_values(resource)}
    checked = {value for value in values if len(value) >= 5 and value not in discovered}
    assert len(checked) > 100
    assert {value for value in checked if value in everything} <= FHIR_CODES


def test_every_input_of_the_contract_is_counted(riverside: Observation) -> None:
    samples = inputs(riverside)
    stored = few().resources

    def of(kind: str, category: str = "") -> list[dict[str, Any]]:
        return [
            resource
            for resource in stored
            if resource["resourceType"] == kind and category in json.dumps(resource.get("category", ""))
        ]

    assert samples["Patient"].count == len(of("Patient"))
    vital = samples["Observation (vital-signs)"]
    expected = of("Observation", "vital-signs")
    assert vital.count == len(expected)
    assert vital.fields["valueQuantity.value"] == sum(
        "value" in resource.get("valueQuantity", {}) for resource in expected
    )
    assert vital.systems["http://loinc.org"] == len(expected)
    laboratory = samples["Observation (laboratory)"]
    assert laboratory.statuses == {"final": 6, "preliminary": 1}
    assert sum(laboratory.statuses.values()) == len(of("Observation", "laboratory"))
    assert samples["MedicationAdministration"].outcome == "empty"
    assert check(riverside, "DATA-002")[0] == "pass"
    outcome, message = check(riverside, "DATA-003")
    assert outcome == "pass"  # two blood pressures in components, one measurement that could not be taken
    assert "Observation (vital-signs).valueQuantity.value and valueQuantity.unit: 1 with a reason and 2 in" in message
    assert check(riverside, "DATA-004")[0] == "pass"


def test_reads_are_bounded_gets_whose_patients_are_left_out(riverside: Observation) -> None:
    reads = [record for record in riverside.requests if record.purpose == "sample"]
    assert 0 < len(reads) <= MAX_REQUESTS
    assert {record.method for record in reads} == {"GET"}
    assert all("_count=20" in record.url and record.sha256 is None and not record.headers for record in reads)
    assert any("patient=(left-out)" in record.url for record in reads)


def test_the_sample_stays_when_the_rest_is_judged_again(riverside: Observation, loopback: Loopback) -> None:
    observation = sampled(serve(loopback), credentials("client_secret_basic"))
    smart = SMART | {"token_endpoint": f"{loopback.origin}/token"}
    bodies = {hashlib.sha256(body).hexdigest(): body for body in (as_json(STATEMENT).body, as_json(smart).body)}
    again = recheck(observation, bodies)
    names = [spec.id for spec in list_checks() if spec.family in {"DATA", "NEG"}]
    assert [check(again, name) for name in names] == [check(observation, name) for name in names]
    assert {check(again, name)[0] for name in names if name.startswith("NEG")} == {"not_applicable"}
    assert again.facts.data == observation.facts.data


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
    observation = sampled(
        serve(loopback), credentials("client_secret_basic"), on_event=lambda event: events.append(repr(event))
    )
    sample = inputs(observation)["Observation"]
    assert sample.count == 2
    assert sample.statuses == {"final": 1, "other": 1}
    assert sample.systems == {"http://loinc.org": 1, "http://unitsofmeasure.org": 1, "other": 1}
    assert sample.fields == {"status": 2, "value[x]": 1, "subject.reference": 2}
    out, err = capfd.readouterr()
    for value in (*PERSONAL, TOKEN):
        assert value not in "".join([written(observation), *events, out, err]), value
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
    observation = sampled(serve(loopback, **{"fhir/Patient": answer}), credentials("client_secret_basic"), NEEDS[:1])
    assert inputs(observation)["Patient"].outcome == outcome
    assert "Quillfeather" not in written(observation)
    assert check(observation, "DATA-002")[0] == (
        "fail" if outcome == "refused" else "not_observed" if outcome != "empty" else "pass"
    )
    assert check(observation, "DATA-006")[0] == ("not_observed" if outcome == "refused" else "warn")


def test_a_host_that_asks_for_a_pause_gets_it(loopback: Loopback) -> None:
    """Neither a search nor a safe negative goes on where the last answer asked to wait."""
    pause = Reply(b"", 429, None, {"Retry-After": "60"})
    observation = sampled(serve(loopback, **{"fhir/Patient": pause}), credentials("client_secret_basic"))
    assert [(sample.outcome, sample.reason) for sample in inputs(observation).values()] == [
        ("failed", "HTTP 429"),
        ("failed", "it was not asked: earlier requests took too long, or the host asked to be left alone"),
    ]
    assert not loopback.asked("/fhir/Observation")
    loopback.requests.clear()
    serve(loopback, token=pause)
    active = probe_sync([Target(base_url=loopback.base)], ProbeSettings(active=True))[0]
    assert [request.method for request in loopback.requests] == ["GET", "GET", "POST"]
    assert check(active, "NEG-004")[0] == "not_observed"
    assert "asked to be left alone" in check(active, "NEG-004")[1]


def test_no_page_costs_more_than_the_limit(loopback: Loopback) -> None:
    many = tuple(
        Need(resource=name, interactions=("search",), search_parameters=("patient",)) for name in PATIENT_TYPES[:16]
    )
    patients = [PATIENT | {"id": f"p{number}"} for number in range(50)]
    routes = {f"fhir/{need.resource}": guarded(as_json(bundle())) for need in many}
    base = serve(loopback, **routes, **{"fhir/Patient": guarded(as_json(bundle(*patients)))})
    observation = sampled(base, credentials("client_secret_basic"), (*NEEDS[:1], *many))
    assert sum("patient=" in request.target for request in loopback.requests) + 1 == MAX_REQUESTS
    assert observation.facts.data is not None
    assert observation.facts.data.requests == MAX_REQUESTS
    assert observation.facts.data.inputs[-1].outcome == "not_asked"


OBSERVED = {
    "resourceType": "OperationOutcome",
    "issue": [{"code": "required", "diagnostics": "Quillfeather: must have either code or category"}],
}


def demanding(parameter: str, *resources: dict[str, Any], status: int = 400) -> Callable[[Request], Reply]:
    """A search that is rejected without one more parameter than the patient, and brings what it asks for with it."""

    def respond(request: Request) -> Reply:
        asked = parse_qs(request.target.partition("?")[2])
        if parameter not in asked or "patient" not in asked:
            return guarded(as_json(OBSERVED, status))(request)
        code = asked[parameter][0]
        value = [{"coding": [{"code": code}]}] if parameter == "category" else code
        what = {parameter: value, "subject": {"reference": f"Patient/{asked['patient'][0]}"}}
        return guarded(as_json(bundle(*(resource | what for resource in resources))))(request)

    return respond


def kind(resource: str, profile: str | None = None, **more: Any) -> Need:
    parameters = {"interactions": ("search",), "search_parameters": ("patient",), "profile": profile}
    return Need.model_validate({"resource": resource} | parameters | more)


def queries(loopback: Loopback, resource: str) -> list[dict[str, list[str]]]:
    return [parse_qs(request.target.partition("?")[2]) for request in loopback.asked(f"/fhir/{resource}")]


@pytest.mark.parametrize("status", [400, 422])
def test_a_search_that_lacks_a_category_is_asked_once_more(loopback: Loopback, status: int) -> None:
    base = serve(loopback, **{"fhir/Observation": demanding("category", *OBSERVATIONS, status=status)})
    observation = sampled(base, credentials("client_secret_basic"))
    counted = inputs(observation)["Observation (vital-signs)"]
    assert (counted.outcome, counted.count, counted.status, counted.category) == (
        "sampled",
        2,
        200,
        "vital-signs",
    )
    assert counted.reason == f"seen with category=vital-signs; without that the search was rejected with HTTP {status}"
    assert [query.get("category") for query in queries(loopback, "Observation")] == [None, ["vital-signs"]]
    reads = [record for record in observation.requests if record.purpose == "sample"][1:]
    assert [record.status for record in reads] == [status, 200]
    assert "category=vital-signs" in reads[1].url and "patient=(left-out)" in reads[1].url
    assert reads[1].detail == f"asked again with category=vital-signs, after HTTP {status}"
    assert observation.facts.data is not None and observation.facts.data.requests == 3
    outcome, message = check(observation, "DATA-006")
    assert outcome == "pass" and "in part only: Observation (vital-signs) (seen with category=vital-signs" in message
    assert not [value for value in (*PERSONAL, TOKEN) if value in written(observation)]


US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


@pytest.mark.parametrize(
    ("need", "parameter", "value", "name"),
    [
        (kind("CarePlan"), "category", "assess-plan", "CarePlan (assess-plan)"),
        (kind("CareTeam"), "status", "active", "CareTeam"),
        (kind("Condition"), "category", "problem-list-item", "Condition (problem-list-item)"),
        (
            kind("Condition", f"{US_CORE}us-core-condition-encounter-diagnosis|6.1.0"),
            "category", "encounter-diagnosis", "Condition (encounter-diagnosis)",
        ),
        (kind("DiagnosticReport"), "category", "LAB", "DiagnosticReport (LAB)"),
        (kind("DocumentReference"), "category", "clinical-note", "DocumentReference (clinical-note)"),
        (kind("MedicationRequest"), "intent", "order", "MedicationRequest"),
        (
            kind("Observation", f"{US_CORE}us-core-smokingstatus"),
            "category", "social-history", "Observation (social-history)",
        ),
        (kind("Observation", search_parameters=()), "category", "vital-signs", "Observation (vital-signs)"),
        (kind("ServiceRequest"), "category", "108252007", "ServiceRequest (108252007)"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)  # fmt: skip
def test_the_second_search_is_one_that_us_core_requires(
    loopback: Loopback, need: Need, parameter: str, value: str, name: str
) -> None:
    resource = {"resourceType": need.resource, "id": "obs-777-a", "status": "active"}
    base = serve(loopback, **{f"fhir/{need.resource}": demanding(parameter, resource)})
    observation = sampled(base, credentials("client_secret_basic"), (NEEDS[0], need))
    counted = inputs(observation)[name]
    assert (counted.outcome, counted.count) == ("sampled", 1)
    assert counted.reason is not None and f"{parameter}={value}" in counted.reason
    second = queries(loopback, need.resource)[1]
    assert second == {"patient": ["pat-90210-x"], parameter: [value], "_count": ["20"]}


NOT_AGAIN: dict[str, tuple[Need, Reply]] = {
    "no access": (kind("Observation"), as_json(OBSERVED, 403)),
    "no such type": (kind("Observation"), as_json(OBSERVED, 404)),
    "no such method": (kind("Observation"), as_json(OBSERVED, 405)),
    "broken": (kind("Observation"), as_json(OBSERVED, 500)),
    "nothing": (kind("Observation"), as_json(bundle())),
    "a category already": (kind("Observation", f"{US_CORE}us-core-observation-lab"), as_json(OBSERVED, 400)),
    "a type of which US Core demands no more": (kind("AllergyIntolerance"), as_json(OBSERVED, 400)),
}


@pytest.mark.parametrize("name", NOT_AGAIN)
def test_other_answers_are_final(loopback: Loopback, name: str) -> None:
    need, answer = NOT_AGAIN[name]
    sampled(
        serve(loopback, **{f"fhir/{need.resource}": answer}),
        credentials("client_secret_basic"),
        (NEEDS[0], need),
    )
    assert len(loopback.asked(f"/fhir/{need.resource}")) == 1


@pytest.mark.parametrize(
    ("second", "outcome", "said"),
    [
        (as_json(OBSERVED, 400), "rejected", "; with category=vital-signs: the search was rejected with HTTP 400"),
        (as_json(OBSERVED, 503), "rejected", "; with category=vital-signs: HTTP 503"),
        (as_json(OBSERVED, 403), "refused", "refused with HTTP 403 with category=vital-signs; without that the search"),
        (as_json(bundle()), "empty", "the search found nothing with category=vital-signs; without that the search"),
    ],
)
def test_when_the_second_search_brings_nothing(loopback: Loopback, second: Reply, outcome: str, said: str) -> None:
    def respond(request: Request) -> Reply:
        return second if "category" in request.target else as_json(OBSERVED, 400)

    patients = [PATIENT, PATIENT | {"id": "pat-90210-y"}]
    base = serve(loopback, **{"fhir/Observation": respond, "fhir/Patient": guarded(as_json(bundle(*patients)))})
    observation = sampled(base, credentials("client_secret_basic"))
    counted = next(sample for sample in inputs(observation).values() if sample.resource == "Observation")
    assert counted.outcome == outcome
    assert counted.reason is not None and said in counted.reason and "HTTP 400" in counted.reason
    assert len(loopback.asked("/fhir/Observation")) == 2  # of one patient, once
    assert "Quillfeather" not in written(observation)


def test_a_type_costs_one_more_request_however_many_inputs_it_has(loopback: Loopback) -> None:
    needs = (
        kind("Condition"),
        kind("Condition", f"{US_CORE}us-core-condition-encounter-diagnosis"),
        kind("Condition", f"{US_CORE}us-core-condition-problems-health-concerns", required_fields=("code",)),
        kind("Observation", f"{US_CORE}us-core-vital-signs"),
        kind("Observation"),
        NEEDS[0],
    )
    routes = {
        "fhir/Condition": demanding("category", {"resourceType": "Condition"}),
        "fhir/Observation": demanding("category", *OBSERVATIONS),
    }
    observation = sampled(serve(loopback, **routes), credentials("client_secret_basic"), needs)
    assert observation.facts.data is not None
    outcomes = [(sample.name, sample.outcome) for sample in observation.facts.data.inputs]
    assert outcomes == [
        ("Condition (problem-list-item)", "sampled"),
        ("Condition", "rejected"),
        ("Condition (problem-list-item)", "sampled"),
        ("Observation (vital-signs)", "sampled"),
        ("Observation (vital-signs)", "sampled"),
        ("Patient", "sampled"),
    ]
    assert [query.get("category") for query in queries(loopback, "Condition")] == [None, ["problem-list-item"]]
    assert [query.get("category") for query in queries(loopback, "Observation")] == [["vital-signs"], None]


def test_second_searches_keep_to_the_limit_of_all(loopback: Loopback) -> None:
    many = tuple(kind(name) for name in PATIENT_TYPES)
    routes = {f"fhir/{need.resource}": guarded(as_json(OBSERVED, 400)) for need in many}
    base = serve(loopback, **routes, **{"fhir/Observation": demanding("category", *OBSERVATIONS)})
    observation = sampled(base, credentials("client_secret_basic"), (NEEDS[0], *many, kind("Observation")))
    assert observation.facts.data is not None and observation.facts.data.requests == MAX_REQUESTS == len(many) + 2
    last = observation.facts.data.inputs[-1]
    assert (last.name, last.outcome) == ("Observation", "rejected")
    assert f"with category=vital-signs: the sample ends after {MAX_REQUESTS} requests" in (last.reason or "")


def test_without_sample_nothing_is_read(loopback: Loopback) -> None:
    observation = probe_sync([Target(base_url=serve(loopback), org="acme")], ProbeSettings(active=True))[0]
    assert observation.facts.data is None
    assert check(observation, "DATA-001") == (
        "not_applicable",
        "Not applicable: looked at with credentials and --sample only",
    )
    asked = [request for request in loopback.requests if request.path in {"/fhir/Patient", "/fhir/Observation"}]
    assert [request.target for request in asked] == ["/fhir/Patient?_summary=count"]  # a safe negative, without a token


def test_a_sample_never_asks_for_the_right_to_write(loopback: Loopback) -> None:
    writes = Need(resource="Patient", interactions=("read", "create", "update"))
    observation = sampled(serve(loopback), credentials("client_secret_basic"), (writes,))
    assert observation.facts.data is not None
    assert observation.facts.data.token is not None
    assert set(observation.facts.data.token.asked) <= {"system/Patient.rs", "system/Patient.read"}


def test_plans_are_made_for_those_who_have_credentials(tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(
        "version: '1'\ntitle: T\ninputs:\n  - {resource: Patient, interactions: [read], organizations: [acme]}\n"
    )
    base = {"fhir_base_url": "https://ehr.example/fhir"}
    acme = organization(bearer_token_env="ACME_TOKEN").model_copy(update=base)
    other = organization(bearer_token_env="OTHER_TOKEN").model_copy(update=base | {"id": "other", "name": "Other"})
    grants = [*credential_grants(acme), *credential_grants(other)]
    plans = sample_plans(tmp_path, [acme, other], grants, {"ACME_TOKEN": "abc-def"}.get)
    assert plans["acme"].credentials is not None
    assert [need.resource for need in plans["acme"].needs] == ["Patient"]
    assert plans["other"].needs == ()
    assert "OTHER_TOKEN" in plans["other"].reason
    assert "abc-def" not in repr(plans)
    with pytest.raises(InterlockError, match="ACME_TOKEN is not set"):
        sample_plans(tmp_path, [acme], grants, {}.get)
    (tmp_path / "contract.yaml").unlink()
    with pytest.raises(InterlockError, match=r"no contract\.yaml"):
        sample_plans(tmp_path, [acme], grants, {}.get)


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
    counted = count_resources(resources, Wanted("Observation", ("code", "code.coding.system", "value[x]")))
    assert counted.count == len(resources)
    assert all(0 <= number <= counted.count for number in (*counted.fields.values(), *counted.systems.values()))
