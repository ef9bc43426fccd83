from __future__ import annotations

from datetime import UTC, datetime

import pytest

from interlock.contract.match import match_contract
from interlock.contract.scopes import needed_scopes
from interlock.judge.variables import fit_variable
from interlock.model.base import CheckOutcome, Severity
from interlock.model.contract import Launch, Need, WorkflowContract
from interlock.model.contract_parts import Writing
from interlock.model.facts import CapabilityFacts, Facts, ResourceFacts, SmartFacts
from interlock.model.observation import Check, Observation, Target
from interlock.model.organization import Organization

pytestmark = pytest.mark.fast

ORG = Organization(id="st-mary", name="St Mary")
CONTRACT = WorkflowContract(
    version="1",
    title="Sample",
    launch=Launch(modes=("ehr", "backend"), context=("patient", "encounter")),
    inputs=(
        Need(
            resource="Observation",
            interactions=("read", "search"),
            search_parameters=("patient", "category", "_lastUpdated"),
            profile="http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs|6.1.0",
        ),
    ),
    outputs=(
        Need(resource="DocumentReference", interactions=("create",)),
        Need(resource="Flag", interactions=("create",), optional=True),
    ),
)
FULL = ResourceFacts(
    interactions=("read", "search-type"),
    search_params=("patient", "category"),
    profiles=("http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs|6.1.0",),
)


def observation(capability: CapabilityFacts | None, smart: SmartFacts | None = None, *checks: Check) -> Observation:
    return Observation(
        target=Target(base_url="https://ehr.example.org/fhir", org="st-mary"),
        started=datetime(2026, 11, 1, tzinfo=UTC),
        elapsed_ms=1,
        outcome="observed",
        facts=Facts(capability=capability, smart=smart),
        checks=checks,
    )


def statement(**resources: ResourceFacts) -> CapabilityFacts:
    return CapabilityFacts(fhir_version="4.0.1", fhir_release="R4", resources=resources)


def outcomes(observed: Observation | None, contract: WorkflowContract = CONTRACT) -> dict[str, str]:
    fit = match_contract(contract, ORG, observed)
    return {f"{m.resource or m.direction}:{m.kind}:{m.name}": m.outcome for m in fit.matches}


def test_nothing_is_missing_where_nothing_was_observed() -> None:
    for observed in (None, observation(None)):
        fit = match_contract(CONTRACT, ORG, observed)
        assert not fit.observed
        assert {match.outcome for match in fit.matches} == {"not_observed"}
        assert fit.names("missing") == ()


def test_each_need_is_matched_with_what_the_statement_lists() -> None:
    outcome_of = outcomes(
        observation(statement(Observation=FULL, DocumentReference=ResourceFacts(interactions=("read",))))
    )
    assert outcome_of["release:release:R4"] == "supported"
    assert outcome_of["Observation:interaction:search"] == "supported"
    assert outcome_of["Observation:search_parameter:category"] == "supported"
    assert outcome_of["Observation:search_parameter:_lastUpdated"] == "undeclared"
    assert outcome_of["DocumentReference:interaction:create"] == "missing"
    assert outcome_of["Flag:resource:Flag"] == "missing"


def test_optional_needs_are_not_missed() -> None:
    observed = observation(statement(Observation=FULL, DocumentReference=ResourceFacts(interactions=("create",))))
    fit = match_contract(CONTRACT, ORG, observed)
    assert fit.names("missing") == ()
    assert fit.names("missing", optional=True) == ("Flag", "Flag.create")


def test_a_summary_or_an_empty_entry_leaves_things_undeclared() -> None:
    bare = outcomes(observation(statement(Observation=ResourceFacts(), DocumentReference=ResourceFacts())))
    assert bare["Observation:interaction:read"] == "undeclared"
    assert bare["Observation:search_parameter:patient"] == "undeclared"
    summary = statement(Observation=FULL).model_copy(update={"subsetted": True})
    assert outcomes(observation(summary))["DocumentReference:resource:DocumentReference"] == "undeclared"
    assert outcomes(observation(statement()))["Observation:resource:Observation"] == "undeclared"


@pytest.mark.parametrize(
    ("declared", "outcome"),
    [
        (("http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs",), "undeclared"),
        (("http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs|3.1.1",), "missing"),
        (("http://hl7.org/fhir/us/core/StructureDefinition/us-core-smokingstatus|6.1.0",), "missing"),
        ((), "undeclared"),
    ],
)
def test_profile_versions_are_compared_only_when_declared(declared: tuple[str, ...], outcome: str) -> None:
    resource = FULL.model_copy(update={"profiles": declared})
    outcome_of = outcomes(observation(statement(Observation=resource)))
    assert outcome_of[f"Observation:profile:{CONTRACT.inputs[0].profile}"] == outcome


def test_no_server_is_asked_for_a_name_that_fhir_does_not_have() -> None:
    vitals = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-vitals-sign"
    misspelt = Need(
        resource="Observation",
        interactions=("read",),
        search_parameters=("pateint", "own", "-own", "category"),
        profile=vitals,
    )
    wrong = CONTRACT.but(inputs=(misspelt, Need(resource="Encouter", interactions=("read",))), outputs=())
    declaring = FULL.model_copy(update={"search_params": ("patient", "category", "own")})
    fit = match_contract(wrong, ORG, observation(statement(Observation=declaring)))
    outcome_of = {match.name: (match.outcome, match.note) for match in fit.matches}
    said = "Observation has no search parameter pateint in R4; did you mean patient?"
    assert outcome_of["pateint"] == ("not_fhir", said)
    assert outcome_of["Encouter"] == ("not_fhir", "there is no resource type Encouter in R4; did you mean Encounter?")
    assert outcome_of[vitals][0] == "not_fhir"
    assert outcome_of["own"][0] == "supported", "a server may declare a parameter of its own"
    assert outcome_of["-own"][0] == "missing"
    assert fit.names("missing") == ("Observation.-own",)


def test_a_modifier_or_a_chain_is_looked_up_by_its_parameter() -> None:
    need = Need(resource="Observation", search_parameters=("category:not", "patient.name", "date:missing"))
    outcome_of = outcomes(observation(statement(Observation=FULL)), CONTRACT.but(inputs=(need,), outputs=()))
    assert outcome_of["Observation:search_parameter:category:not"] == "undeclared"
    assert outcome_of["Observation:search_parameter:patient.name"] == "undeclared"
    assert outcome_of["Observation:search_parameter:date:missing"] == "missing"


@pytest.mark.parametrize(
    ("conditional_create", "versioning", "once", "over"),
    [
        (True, "versioned-update", "supported", "supported"),
        (False, "no-version", "missing", "missing"),
        (None, None, "undeclared", "undeclared"),
        (True, "versioned", "supported", "undeclared"),
    ],
)
def test_conditions_of_a_write_are_held_against_what_the_statement_says(
    conditional_create: bool | None, versioning: str | None, once: str, over: str
) -> None:
    writing = Writing(if_none_exist="identifier={id}", if_match=True)
    need = Need(resource="Task", interactions=("create", "update"), writing=writing)
    contract = WorkflowContract(version="1", title="T", outputs=(need,))
    task = ResourceFacts(
        interactions=("create", "update"), conditional_create=conditional_create, versioning=versioning
    )
    found = outcomes(observation(statement(Task=task)), contract)
    assert (found["Task:condition:If-None-Exist"], found["Task:condition:If-Match"]) == (once, over)
    fit = match_contract(contract, ORG, observation(statement(Task=task)))
    notes = {match.name: match.note or "" for match in fit.matches if match.kind == "condition"}
    if once == "missing":
        assert notes["If-None-Exist"] == "contradicted: the statement says conditionalCreate false"
        assert notes["If-Match"] == "contradicted: the statement says versioning no-version"
        assert fit_variable(fit)["missing"] == ["Task.If-None-Exist", "Task.If-Match"]  # type: ignore[index]
    reading = statement(Task=task.but(interactions=("read",)))
    assert not [one for one in outcomes(observation(reading), contract) if "condition" in one], "no such write"
    assert outcomes(None, contract)["Task:condition:If-Match"] == "not_observed"
    undecided = contract.but(outputs=(need.but(writing=Writing(if_match=False)),))
    assert not [one for one in outcomes(observation(statement(Task=task)), undecided) if "condition" in one]


def test_another_release_is_named() -> None:
    stu3 = CapabilityFacts(fhir_version="3.0.2", fhir_release="STU3", resources={"Observation": FULL})
    fit = match_contract(CONTRACT, ORG, observation(stu3))
    assert fit.matches[0].outcome == "missing"
    assert fit.matches[0].note == "the statement says 3.0.2 (STU3)"


def test_launch_modes() -> None:
    smart = SmartFacts(
        capabilities=("launch-ehr",), launch_modes=("ehr",), grant_types_supported=("authorization_code",)
    )
    outcome_of = outcomes(observation(statement(Observation=FULL), smart))
    assert (outcome_of["launch:launch:ehr"], outcome_of["launch:launch:backend"]) == ("supported", "missing")
    silent = outcomes(
        observation(statement(Observation=FULL), SmartFacts(capabilities=("launch-ehr",), launch_modes=("ehr",)))
    )
    assert silent["launch:launch:backend"] == "undeclared"
    fallback = outcomes(observation(statement(Observation=FULL), SmartFacts(source="oauth-uris")))
    assert fallback["launch:launch:ehr"] == "undeclared"


def test_an_absent_smart_document_is_undeclared_and_an_unseen_one_not_observed() -> None:
    absent = Check(
        id="SMART-001",
        title="t",
        outcome=CheckOutcome.FAIL,
        severity=Severity.HIGH,
        message="404 at the well-known path",
    )
    assert outcomes(observation(statement(Observation=FULL), None, absent))["launch:launch:ehr"] == "undeclared"
    assert outcomes(observation(statement(Observation=FULL)))["launch:launch:ehr"] == "not_observed"


def test_a_scope_that_is_not_listed_is_never_missing() -> None:
    smart = SmartFacts(capabilities=(), scopes_supported=("launch", "openid", "fhirUser", "patient/*.rs"))
    outcome_of = outcomes(observation(statement(Observation=FULL), smart))
    assert outcome_of["launch:scope:patient/Observation.rs"] == "supported"
    assert outcome_of["launch:scope:patient/DocumentReference.c"] == "undeclared"
    assert outcome_of["launch:scope:system/Observation.rs"] == "undeclared"


def test_a_need_of_other_organisations_does_not_concern_this_one() -> None:
    contract = CONTRACT.model_copy(
        update={"outputs": (Need(resource="Task", interactions=("create",), organizations=("other",)),)}
    )
    assert not any(key.startswith("Task") for key in outcomes(observation(statement()), contract))


def test_needed_scopes_are_v2_in_the_order_of_the_specification() -> None:
    contract = WorkflowContract(
        version="1",
        title="t",
        launch=Launch(modes=("ehr", "standalone", "backend"), context=("patient",)),
        inputs=(Need(resource="Observation", interactions=("search", "read")),),
        outputs=(Need(resource="Observation", interactions=("update", "create")),),
    )
    assert needed_scopes(contract) == (
        "launch",
        "launch/patient",
        "openid",
        "fhirUser",
        "patient/Observation.rs",
        "patient/Observation.cu",
        "system/Observation.rs",
        "system/Observation.cu",
    )
