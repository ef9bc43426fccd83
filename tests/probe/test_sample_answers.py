"""What the answers of a sample prove: servers after public reports, each with one thing that a client trips over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from credential_cases import PATIENT, check, credentials, guarded, issued, organization, sampled, written
from probe_documents import SMART, STATEMENT
from probe_loopback import Loopback, Reply, Request, as_json

from interlock.contract.match import match_contract
from interlock.fhir.sampling import Wanted, count_resources
from interlock.fhir.searchset import Asked, read_searchset
from interlock.model.contract import ClinicalEvent, Need, WorkflowContract
from interlock.model.facts import FhirRelease
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.sample import InputSample
from interlock.probe.recheck import with_contract
from interlock.usecases.trust import credential_grants, sample_plans

pytestmark = pytest.mark.fast

ME, OTHER = "pat-90210-x", "pat-31337-z"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
REASONS = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
LOINC = "http://loinc.org"
BASE = "https://ehr.example/fhir"
VITALS = Need(
    resource="Observation",
    profile=f"{US_CORE}us-core-vital-signs",
    interactions=("search",),
    search_parameters=("patient", "category"),
    required_fields=("code", "effectiveDateTime", "valueQuantity.value"),
)
PATIENTS = Need(resource="Patient", interactions=("read", "search"), required_fields=("birthDate",))


def observed(number: int = 0, of: str = ME, category: str = "vital-signs", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"code": category}]}],
        "code": {"coding": [{"system": LOINC, "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": "2026-01-01T00:00:00Z",
        "valueQuantity": {"value": 80, "unit": "/min"},
    } | more


def without(resource: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in names} | more


def found(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries} | more


def probe(
    loopback: Loopback, *needs: Need, patients: dict[str, Any] | None = None, **bundles: dict[str, Any]
) -> Observation:
    """A server that answers each type with the same Bundle whatever was asked."""
    routes: dict[str, Any] = {"token": issued(), "fhir/Patient": guarded(as_json(patients or found(PATIENT)))}
    routes |= {f"fhir/{kind}": guarded(as_json(bundle)) for kind, bundle in bundles.items()}
    smart = SMART | {"token_endpoint": f"{loopback.origin}/token"}
    loopback.requests.clear()
    base = loopback.serve(as_json(STATEMENT), as_json(smart), **routes)
    return sampled(base, credentials("client_secret_basic"), (PATIENTS, *needs))


def of(observation: Observation, name: str = "Observation") -> InputSample:
    assert observation.facts.data is not None
    return next(sample for sample in observation.facts.data.inputs if sample.resource == name)


# -- filters ----------------------------------------------------------------------------------------------------------


def test_another_patients_observations_are_not_counted(loopback: Loopback) -> None:
    mine, others = [observed(n) for n in range(8)], [observed(n, OTHER, status="amended") for n in range(8, 20)]
    observation = probe(loopback, VITALS, Observation=found(*others, *mine))
    sample = of(observation)
    assert (sample.seen, sample.count, sample.others) == (20, 8, {"patient": 12})
    assert sample.statuses == {"final": 8}
    assert check(observation, "DATA-007") == (
        "fail",
        "Asked for Observation (vital-signs) of one patient; 12 of 20 were of others: the filter is not applied",
    )
    assert OTHER not in written(observation)


def test_a_category_that_is_not_applied_is_told(loopback: Loopback) -> None:
    self_link = {"relation": "self", "url": f"{loopback.base}/Observation?patient={ME}&_count=20"}
    answer = found(observed(1), observed(2, category="laboratory"), link=[self_link])
    observation = probe(loopback, VITALS, Observation=answer)
    assert of(observation).count == 1
    outcome, message = check(observation, "DATA-007")
    assert outcome == "warn"  # the server admits it, as FHIR asks of it
    assert "1 of 2 were of another category: the filter is not applied, which the self link admits" in message


def test_when_nothing_that_came_was_asked_for_nothing_was_seen(loopback: Loopback) -> None:
    observation = probe(loopback, VITALS, Observation=found(observed(1, OTHER)))
    sample = of(observation)
    assert (sample.outcome, sample.count, sample.reason) == ("empty", 0, "nothing that came is what was asked for")
    assert check(observation, "DATA-007")[0] == "fail"


def test_a_filter_that_holds_is_a_pass_and_none_that_was_not_seen(loopback: Loopback) -> None:
    link = [{"relation": "self", "url": f"/fhir/Observation?subject:Patient={ME}&category=x%7Cvital-signs"}]
    observation = probe(loopback, VITALS, Observation=found(observed(1), observed(2), link=link))
    assert check(observation, "DATA-007") == (
        "pass",
        "All that came is what was asked for: Observation (vital-signs) 2",
    )
    assert check(probe(loopback, VITALS, Observation=found()), "DATA-007")[0] == "not_observed"


def test_a_self_link_that_leaves_out_the_patient_is_told_although_all_is_right(loopback: Loopback) -> None:
    link = [{"relation": "self", "url": f"{loopback.base}/Observation?_count=20"}]
    observation = probe(loopback, VITALS, Observation=found(observed(1), link=link))
    assert of(observation).count == 1
    outcome, message = check(observation, "DATA-007")
    assert outcome == "warn"
    told = "as asked is not in the self link of Observation (vital-signs): by FHIR it was not used; what came fits"
    assert message == f"Patient {told}; category {told}"


@pytest.mark.parametrize(
    ("url", "left_out"),
    [
        ("https://x/Observation?patient=p1&category=vital-signs", ()),
        ("Observation?subject=Patient/p1&category=http://x|vital-signs,http://x|survey", ()),
        ("?patient=https%3A%2F%2Fx%2FPatient%2Fp1&category:in=vital-signs", ()),
        ("?patient.identifier=x%7C1&category=VITAL-SIGNS", ()),
        ("?patient=p2&category=laboratory", ("patient", "category")),
        ("?_getpages=5b4ba0d2", ("patient", "category")),
        ("https://[", ()),
        ("?" + "&".join(f"a{n}=1" for n in range(300)), ()),
        (None, ()),
        (7, ()),
    ],
)
def test_what_a_self_link_says_was_used(url: object, left_out: tuple[str, ...]) -> None:
    asked = Asked("Observation", (("patient", "p1"), ("category", "vital-signs")), 20, BASE)
    assert read_searchset({"link": [{"relation": "self", "url": url}]}, asked).unrepeated == left_out


def test_a_page_larger_than_asked_for_is_cut_and_told(loopback: Loopback) -> None:
    for needs in ((VITALS,), (VITALS.model_copy(update={"profile": None}),)):
        observation = probe(loopback, *needs, Observation=found(*(observed(n) for n in range(50))))
        assert (of(observation).count, of(observation).seen, of(observation).page) == (20, 20, 50)
        assert "held 50, and 20 were asked for" in check(observation, "DATA-007")[1]


def test_the_bound_holds_for_the_narrower_search_too(loopback: Loopback) -> None:
    """50 were counted where 20 were promised, because the second search had no bound."""

    def respond(request: Request) -> Reply:
        many = found(*(observed(n) for n in range(50)))
        return as_json(many) if "category=" in request.target else Reply(b"", 400)

    routes: dict[str, Any] = {
        "token": issued(),
        "fhir/Patient": guarded(as_json(found(PATIENT))),
        "fhir/Observation": respond,
    }
    base = loopback.serve(as_json(STATEMENT), as_json(SMART | {"token_endpoint": f"{loopback.origin}/token"}), **routes)
    plain = VITALS.model_copy(update={"profile": None})
    observation = sampled(base, credentials("client_secret_basic"), (PATIENTS, plain))
    assert (of(observation).category, of(observation).count) == ("vital-signs", 20)


REFERENCES: dict[str, tuple[dict[str, Any], str]] = {
    "relative": ({"subject": {"reference": "Patient/p1"}}, "same"),
    "a version of it": ({"subject": {"reference": "Patient/p1/_history/3"}}, "same"),
    "absolute": ({"subject": {"reference": f"{BASE}/Patient/p1"}}, "same"),
    "absolute, host in capitals and with its port": (
        {"subject": {"reference": "https://EHR.example:443/fhir/Patient/p1"}},
        "same",
    ),
    "of a server behind the gateway, as the entry itself is": (
        {"subject": {"reference": "http://inner:8080/x/Patient/p1"}},
        "same",
    ),
    "of another server": ({"subject": {"reference": "https://other.example/fhir/Patient/p1"}}, "other"),
    "of another patient": ({"subject": {"reference": "Patient/p11"}}, "other"),
    "by case": ({"subject": {"reference": "Patient/P1"}}, "other"),
    "of nobody": ({}, "unnamed"),
    "by an identifier": ({"subject": {"identifier": {"value": "p1"}}}, "unnamed"),
    "contained": ({"subject": {"reference": "#p1"}}, "unnamed"),
    "of a group": ({"subject": {"reference": "Group/p1"}}, "unnamed"),
    "no reference": ({"subject": {"reference": 7}}, "unnamed"),
    "whose it is goes before who is mentioned": (
        {"subject": {"reference": "Patient/other"}, "performer": [{"reference": "Patient/p1"}]},
        "other",
    ),
    "a patient among participants": (
        {"participant": [{"actor": {"reference": "Practitioner/p1"}}, {"actor": {"reference": "Patient/p1"}}]},
        "same",
    ),
    "a beneficiary": ({"beneficiary": {"reference": "Patient/p1"}, "payor": [{"reference": "Patient/q"}]}, "same"),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_whose_a_resource_is(name: str) -> None:
    held, expected = REFERENCES[name]
    entry = {"fullUrl": "http://inner:8080/x/Basic/1", "resource": {"resourceType": "Basic"} | held}
    answer = read_searchset(
        {"resourceType": "Bundle", "entry": [entry]}, Asked("Basic", (("patient", "p1"),), 20, BASE)
    )
    shown = "same" if answer.resources else "other" if answer.others else "unnamed"
    assert shown == expected
    assert (answer.seen, len(answer.resources), sum(answer.others.values()), answer.unnamed) == (
        1,
        expected == "same",
        expected == "other",
        expected == "unnamed",
    )


def test_what_was_included_is_no_match() -> None:
    entries = [
        {"resource": observed(1), "search": {"mode": "include"}},
        {"resource": observed(2), "search": {"mode": "outcome"}},
        {"resource": observed(3)},
    ]
    answer = read_searchset({"entry": entries}, Asked("Observation", (), 20, BASE))
    assert [resource["id"] for resource in answer.resources] == ["o3"]


# -- a part only ------------------------------------------------------------------------------------------------------


def outcome_entry(*issues: dict[str, Any]) -> dict[str, Any]:
    return {"resource": {"resourceType": "OperationOutcome", "issue": list(issues)}, "search": {"mode": "outcome"}}


def test_an_answer_that_says_it_is_a_part_is_told(loopback: Loopback) -> None:
    withheld = {"severity": "warning", "code": "suppressed", "diagnostics": "Quillfeather was withheld"}
    answer = found(observed(1))
    answer["entry"].append(outcome_entry(withheld))
    observation = probe(loopback, VITALS, Observation=answer)
    assert of(observation).count == 1
    assert check(observation, "DATA-008") == (
        "warn",
        "The answer for Observation (vital-signs) reports of itself: warning suppressed (our judgement)",
    )
    assert "Quillfeather" not in written(observation)


@pytest.mark.parametrize(
    ("issue", "kept"),
    [
        ({"severity": "information", "code": "informational"}, ()),
        ({"severity": "information", "code": "suppressed"}, ("information suppressed",)),
        ({"severity": "warning", "code": "not-supported"}, ("warning not-supported",)),
        ({"severity": "error", "code": "Quillfeather"}, ("error other",)),
        ({"severity": "Quillfeather", "code": "suppressed"}, ()),
        ({"severity": ["warning"], "code": {"a": 1}}, ()),
    ],
)
def test_of_an_outcome_fhirs_own_codes_are_kept(issue: dict[str, Any], kept: tuple[str, ...]) -> None:
    answer = read_searchset({"entry": [outcome_entry(issue)]}, Asked("Observation", (), 20, BASE))
    assert answer.outcomes == kept


def test_a_total_to_which_no_link_leads_is_told(loopback: Loopback) -> None:
    observation = probe(loopback, VITALS, Observation=found(observed(1), total=75))
    outcome, message = check(observation, "DATA-008")
    assert outcome == "warn"
    assert "total says 75, 74 more than came, and no next link leads to them" in message
    more = found(observed(1), total=75, link=[{"relation": "next", "url": f"{loopback.base}/Observation?page=2"}])
    outcome, message = check(probe(loopback, VITALS, Observation=more), "DATA-008")
    assert outcome == "pass" and "Observation (vital-signs) 1 of 75" in message


@pytest.mark.parametrize("total", [-1, 10**30, True, "75", 7.5, None, [75]])
def test_a_total_that_is_none_says_nothing(total: object) -> None:
    answer = read_searchset(found(observed(1), total=total), Asked("Observation", (), 20, BASE))
    assert (answer.total, answer.unreached) == (None, 0)


# -- next pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        (f"{BASE}?page=2", "here"),
        ("https://EHR.example:443/other/path?page=2", "here"),
        ("http://ehr.example/fhir?page=2", "plain_http"),
        ("http://ehr.example:8080/fhir?page=2", "plain_http"),
        ("http://fhir-internal.svc.cluster.local:8080/Patient?ct=abc", "another_host"),
        ("https://ehr.example:8443/fhir?page=2", "another_host"),
        ("https://ehr.example.evil/fhir", "another_host"),
        ("//evil.example/fhir", "another_host"),
        ("/x/Observation?page=2", "relative"),
        ("?page=2", "relative"),
        ("file:///etc/passwd", "unreadable"),
        ("https://[", "unreadable"),
        ("", "unreadable"),
        (7, "unreadable"),
    ],
)
def test_where_a_next_link_leads(url: object, leads: str) -> None:
    bundle = {"link": [{"relation": "next", "url": url}]}
    assert read_searchset(bundle, Asked("Patient", (), 20, BASE)).next_links == (leads,)


def test_a_next_page_elsewhere_is_told_and_never_asked_for(loopback: Loopback) -> None:
    """A gateway in front of a server that does not know its own name: the client's token would go to the inner host."""
    inner = [{"relation": "next", "url": "http://fhir-internal.svc.cluster.local:8080/Patient?ct=abc"}]
    observation = probe(
        loopback,
        VITALS,
        patients=found(PATIENT, link=inner, total=640),
        Observation=found(observed(1), link=[{"relation": "next", "url": "/x/Observation?page=2"}], total=75),
    )
    assert check(observation, "DATA-009") == (
        "warn",
        "The next link of Patient leads to another host; Observation (vital-signs) leads nowhere by itself: it is "
        "relative (our judgement)",
    )
    assert not [request for request in loopback.requests if "page=" in request.target or "ct=" in request.target]
    assert "fhir-internal" not in written(observation)


# -- fields, states, systems ------------------------------------------------------------


def counts(kind: str, *resources: dict[str, Any], fields: tuple[str, ...] = (), held: FhirRelease = "R4") -> Any:
    return count_resources(list(resources), Wanted(kind, fields, held=held))


CODED = {"coding": [{"system": REASONS, "code": "unknown"}]}
EXTENDED = {"extension": [{"url": ABSENT, "valueCode": "masked"}]}
PRESSURE = [{"code": {"coding": []}, "valueQuantity": {"value": 120, "unit": "mmHg"}}]

FIELDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "there": (observed(), "valueQuantity.value", "present"),
    "nothing": (without(observed(), "valueQuantity"), "valueQuantity.value", "nothing"),
    "a reason instead": (without(observed(), "valueQuantity", dataAbsentReason=CODED), "valueQuantity.value", "reason"),
    "a reason, of any type": (without(observed(), "valueQuantity", dataAbsentReason=CODED), "value[x]", "reason"),
    "in components": (without(observed(), "valueQuantity", component=PRESSURE), "valueQuantity.value", "components"),
    "in components, of any type": (without(observed(), "valueQuantity", component=PRESSURE), "value[x]", "components"),
    "components without values": (
        without(observed(), "valueQuantity", component=[{"code": {}}]), "valueQuantity.value", "nothing",
    ),
    "components with reasons": (
        without(observed(), "valueQuantity", component=[{"dataAbsentReason": CODED}]), "valueQuantity.value", "reason",
    ),
    "a panel": (
        without(observed(), "valueQuantity", hasMember=[{"reference": "Observation/2"}]), "valueQuantity.value",
        "components",
    ),
    "another type": (
        without(observed(), "valueQuantity", valueString="See comment"), "valueQuantity.value", "other_type",
    ),
    "another type is a value": (without(observed(), "valueQuantity", valueString="See comment"), "value[x]", "present"),
    "as FHIRPath has it": (observed(), "value", "present"),
    "a number below a limit": (
        observed(valueQuantity={"comparator": "<", "value": 0.1}), "valueQuantity.value", "present",
    ),
    "a primitive with a reason": (
        without(observed(), "effectiveDateTime", _effectiveDateTime=EXTENDED), "effectiveDateTime", "reason",
    ),
    "a primitive of another type": (
        without(observed(), "effectiveDateTime", effectivePeriod={"start": "2026"}), "effectiveDateTime", "other_type",
    ),
    "a code that says it is unknown": (observed(code=CODED), "code", "reason"),
    "its coding": (observed(code=CODED), "code.coding.code", "reason"),
    "a code in words": (observed(code=CODED | {"text": "Heart rate"}), "code", "present"),
    "a masked code": (observed(code=EXTENDED | {"coding": [{"system": ABSENT, "code": "masked"}]}), "code", "reason"),
    "a code beside the reason": (
        observed(code={"coding": [CODED["coding"][0], {"system": LOINC, "code": "1"}]}), "code.coding.code", "present",
    ),
    "a value beside a reason": (
        observed(valueQuantity=EXTENDED | {"value": 37}), "valueQuantity.value", "present",
    ),
    "an element that is only a reason": (observed(valueQuantity=EXTENDED), "valueQuantity.value", "reason"),
    "zero": (observed(valueQuantity={"value": 0}), "valueQuantity.value", "present"),
    "empty": (observed(code={}), "code", "nothing"),
    "null": (observed(code=None), "code", "nothing"),
    "an extension that is no reason": (
        without(observed(), "effectiveDateTime", _effectiveDateTime={"extension": []}), "effectiveDateTime", "nothing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_why_a_field_is_not_there(name: str) -> None:
    resource, path, expected = FIELDS[name]
    counted = counts("Observation", resource, fields=(path,))
    assert counted.fields == {path: int(expected == "present")}
    assert counted.absent == ({} if expected == "present" else {path: {expected: 1}})


@pytest.mark.parametrize(
    ("kind", "resource", "path", "there"),
    [
        ("Encounter", {"period": {"start": "2020"}}, "period.start", True),
        ("Encounter", {"period": {}}, "period.start", False),
        ("Patient", {"name": [{}, {"family": "x"}]}, "name.family", True),
        ("Patient", {"active": False}, "active", True),
        ("Patient", {"birthDate": ""}, "birthDate", False),
        ("Patient", {"deceasedBoolean": False}, "deceased[x]", True),
        ("Patient", {"deceasedBy": "x"}, "deceased[x]", False),
        ("Patient", {"_birthDate": {"extension": []}}, "birthDate", False),
        ("DocumentReference", {"context": {"encounter": [{"reference": "x"}]}}, "context.encounter", True),
    ],
)
def test_when_a_field_is_there(kind: str, resource: dict[str, Any], path: str, there: bool) -> None:
    assert counts(kind, resource, fields=(path,)).fields == {path: int(there)}


def test_a_missing_value_is_told_apart_from_one_that_is_explained(loopback: Loopback) -> None:
    answer = found(
        observed(1),
        without(observed(2), "valueQuantity", dataAbsentReason=CODED),
        without(observed(3), "valueQuantity", component=PRESSURE),
        without(observed(4), "valueQuantity", valueString="See comment"),
        without(observed(5), "valueQuantity", status="entered-in-error"),
        observed(6, code=CODED),
    )
    observation = probe(loopback, VITALS, Observation=answer)
    name = "Observation (vital-signs)"
    assert check(observation, "DATA-003") == (
        "warn",
        f"Absent: {name}.valueQuantity.value in 1 of 5 (1 with a value of another type); no gap: {name}.code: "
        f"1 with a reason; {name}.valueQuantity.value: 1 with a reason and 1 in components or members (our judgement)",
    )
    alone = probe(loopback, VITALS, Observation=found(*(answer["entry"][n]["resource"] for n in (0, 1, 2, 5))))
    assert check(alone, "DATA-003")[0] == "pass"


def condition(number: int, error: bool) -> dict[str, Any]:
    status = {} if error else {"clinicalStatus": {"coding": [{"code": "active"}]}}
    said = "entered-in-error" if error else "confirmed"
    return {
        "resourceType": "Condition",
        "id": f"c{number}",
        "verificationStatus": {"coding": [{"code": said}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]},
        "subject": {"reference": f"Patient/{ME}"},
    } | status


def test_conditions_entered_in_error_are_seen_and_their_missing_status_is_no_gap(loopback: Loopback) -> None:
    need = Need(resource="Condition", interactions=("search",), search_parameters=("patient",),
                required_fields=("clinicalStatus", "code"))  # fmt: skip
    answer = found(*(condition(n, n < 11) for n in range(19)))
    observation = probe(loopback, need, Condition=answer)
    sample = of(observation, "Condition")
    assert (sample.count, sample.void, sample.valid) == (19, 11, 8)
    assert sample.fields == {"clinicalStatus": 8, "code": 8}
    outcome, message = check(observation, "DATA-005")
    assert outcome == "warn" and "Condition 11 of 19" in message
    assert check(observation, "DATA-003")[0] == "pass"


@pytest.mark.parametrize(
    ("kind", "states", "release", "void"),
    [
        ("AllergyIntolerance", {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}, "R4", True),
        ("AllergyIntolerance", {"verificationStatus": "entered-in-error"}, "STU3", True),
        ("AllergyIntolerance", {"status": "entered-in-error"}, "DSTU2", True),
        ("DocumentReference", {"status": "current", "docStatus": "entered-in-error"}, "R4", True),
        ("Goal", {"lifecycleStatus": "entered-in-error"}, "R4", True),
        ("Encounter", {"status": "entered-in-error"}, "R4", True),
        ("Encounter", {"status": "finished", "statusHistory": [{"status": "entered-in-error"}]}, "R4", False),
        ("Condition", {"verificationStatus": {"coding": [{"code": "refuted"}]}}, "R4", False),
        ("MedicationRequest", {"status": "cancelled"}, "R4", False),
        ("Patient", {"active": False}, "R4", False),
    ],
)
def test_what_was_entered_in_error_by_the_types_own_element(
    kind: str, states: dict[str, Any], release: FhirRelease, void: bool
) -> None:
    assert counts(kind, {"resourceType": kind} | states, held=release).void == void


def test_a_status_that_its_type_does_not_have_is_no_status() -> None:
    assert counts("Observation", observed(status="in-progress")).statuses == {"other": 1}
    assert counts("Encounter", {"status": "in-progress"}).statuses == {"in-progress": 1}


def coded(system: str) -> dict[str, Any]:
    return {"resourceType": "Observation", "code": {"coding": [{"system": system, "code": "x"}]}}


@pytest.mark.parametrize(
    ("system", "shown"),
    [
        ("urn:ietf:bcp:47", "urn:ietf:bcp:47"),
        ("https://open.example/codes/flowsheet", "https://open.example/codes/flowsheet"),
        ("urn:oid:1.2.840.114350.1.13", "urn:oid:1.2.840.114350.1.13"),
        ("2.16.840.1.113883.6.1", "2.16.840.1.113883.6.1"),
        ("https://vendor.example/codes?set=7", "https://vendor.example/codes?set=7"),
        ("https://elsewhere.example/codes?set=7", "https://elsewhere.example/codes"),
        ("urn:mrn:5550123", "other"),
        ("Quillfeather", "other"),
        ("1.2", "other"),
    ],
)
def test_which_systems_are_named(system: str, shown: str) -> None:
    expected = ("urn:ietf:bcp:47", "https://vendor.example/codes?set=7")
    assert count_resources([coded(system)], Wanted("Observation", terminology=expected)).systems == {shown: 1}


def test_the_contracts_own_systems_are_seen_and_a_bare_oid_is_told(loopback: Loopback) -> None:
    need = VITALS.model_copy(update={"terminology": ("urn:ietf:bcp:47", "https://vendor.example/codes")})
    coding = [{"system": "https://vendor.example/codes", "code": "1"}]
    fine = observed(1, code={"coding": coding})
    assert check(probe(loopback, need, Observation=found(fine)), "DATA-004") == (
        "pass",
        "One of the contract's code systems is in every resource of 1 input; not met: Observation (vital-signs): "
        "urn:ietf:bcp:47",
    )
    bare = observed(1, code={"coding": [*coding, {"system": "2.16.840.1.113883.6.1", "code": "1"}]})
    for asked in (need, VITALS):
        outcome, message = check(probe(loopback, asked, Observation=found(bare)), "DATA-004")
        assert outcome == "warn"
        assert "bare OID, which is no URI: Observation (vital-signs) “2.16.840.1.113883.6.1” in 1 of 1" in message


def test_alternative_systems_and_codes_that_are_explained_are_no_gap(loopback: Loopback) -> None:
    """One resource uses the one system, the next the other: together they are what the contract names."""
    need = VITALS.model_copy(update={"terminology": (LOINC, "http://snomed.info/sct")})
    snomed = {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}
    fine = [observed(1), observed(2, code=snomed), observed(3, code=CODED), observed(4, dataAbsentReason=CODED)]
    assert check(probe(loopback, need, Observation=found(*fine)), "DATA-004")[0] == "pass"
    units = VITALS.model_copy(update={"terminology": (LOINC, "http://unitsofmeasure.org")})
    measured = observed(1, code=snomed, valueQuantity={"system": "http://unitsofmeasure.org", "code": "/min"})
    assert check(probe(loopback, units, Observation=found(measured)), "DATA-004")[1].startswith(
        "None of the contract's"
    )
    local = observed(5, code={"coding": [{"system": "https://v.example/c", "code": "1"}]}, dataAbsentReason=CODED)
    assert check(probe(loopback, need, Observation=found(*fine, local)), "DATA-004")[0] == "warn"


# -- the contract's own words ------------------------------------------------------------


def judged(observation: Observation, *states: str) -> tuple[str, str]:
    event = ClinicalEvent(trigger="A result", actor="A nurse", setting="A ward", states=states)
    contract = WorkflowContract(version="1", title="T", clinical_event=event, inputs=(PATIENTS, VITALS))
    fit = match_contract(contract, Organization(id="acme", name="Acme"), observation)
    return check(with_contract(observation, contract, fit), "DATA-010")


def test_the_states_that_were_seen_are_compared_with_those_that_start_the_event(loopback: Loopback) -> None:
    seen = probe(loopback, VITALS, Observation=found(observed(1), observed(2, status="unknown")))
    outcome, message = judged(seen, "final")
    assert outcome == "warn"
    assert message == (
        "What “unknown” does is for the contract to say; not in clinical_event.states (final), so it starts nothing: "
        "Observation (vital-signs): unknown 1"
    )
    assert judged(seen, "final", "unknown")[0] == "pass"
    void = probe(loopback, VITALS, Observation=found(observed(1), observed(2, status="entered-in-error")))
    assert judged(void, "final") == ("pass", "Every state that was seen is in clinical_event.states")
    assert judged(seen, "in-progress") == (
        "not_applicable",
        "Not applicable: no input that was seen has in-progress as its status",
    )
    held = probe(loopback, VITALS, Observation=found(observed(1, status="preliminary")))
    assert judged(held, "final", "amended")[1].startswith("No state that starts the event occurs; not in clinical")
    also = probe(loopback, VITALS, Observation=found(observed(1), observed(2, status="preliminary")))
    assert judged(also, "final")[0] == "pass" and "preliminary 1" in judged(also, "final")[1]


def test_a_misspelt_name_of_the_contract_is_held_against_nobody(loopback: Loopback, tmp_path: Path) -> None:
    """No server is asked for a type that FHIR does not have, and a field that it does not have is not missing."""
    (tmp_path / "contract.yaml").write_text(
        "version: '1'\ntitle: T\ninputs:\n"
        "  - {resource: Patient, interactions: [read], required_fields: [birthDate, birthdat]}\n"
        "  - {resource: Encouter, interactions: [search], search_parameters: [patient]}\n"
    )
    acme = organization(bearer_token_env="T").model_copy(update={"fhir_base_url": "https://ehr.example/fhir"})
    plan = sample_plans(tmp_path, [acme], credential_grants(acme), {"T": "abc-def"}.get)["acme"]
    assert [(need.resource, need.required_fields) for need in plan.needs] == [("Patient", ("birthDate",))]
    wrong = VITALS.but(required_fields=("cod", "code"))  # of a caller that did not look
    observation = probe(loopback, wrong, Observation=found(observed(1)))
    assert of(observation).fields == {"code": 1}
    assert check(observation, "DATA-003")[0] == "pass"


def test_without_a_patient_in_the_token_the_search_finds_one(loopback: Loopback) -> None:
    """A token answer without ``patient`` is usual for a service; nothing hangs on it."""
    observation = probe(loopback, VITALS, Observation=found(observed(1)))
    assert check(observation, "DATA-001")[0] == "pass" and of(observation).filters == ("patient", "category")


# -- nothing of a person ----------------------------------------------------------------------------------------------


def test_nothing_of_a_person_leaves_by_what_an_answer_says_of_itself(loopback: Loopback) -> None:
    canary = "Quillfeather"
    answer = found(
        observed(1, of=f"{canary}-1", status=canary, category=canary),
        observed(2, verificationStatus={"coding": [{"code": canary}]}, code={"coding": [{"system": canary}]}),
        observed(3, valueQuantity={"value": 1, "code": canary, "system": f"urn:{canary}"}, _code={"extension": canary}),
        link=[{"relation": "self", "url": f"https://{canary}.example/?{canary}={canary}"},
              {"relation": "next", "url": f"https://{canary}.example/{ME}"}, {"relation": canary, "url": canary}],
        total=canary, type=canary, id=canary, meta={"tag": [{"code": canary}]},
    )  # fmt: skip
    answer["entry"] += [
        outcome_entry(
            {"severity": canary, "code": canary}, {"severity": "error", "code": canary, "diagnostics": canary}
        ),
        {"fullUrl": f"https://{canary}.example/Observation/1", "resource": observed(4), "search": {"mode": canary}},
    ]
    observation = probe(loopback, VITALS, Observation=answer)
    kept = written(observation)
    assert canary.casefold() not in kept.casefold()
    assert not [value for value in (ME, "8867-4", "2026-01-01") if value in kept]
