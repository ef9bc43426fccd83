"""Small servers after public reports, each a well-behaved one with one thing changed, and what is right of it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from probe_judging import documents, judged, read

from interlock.content.questionnaires import load_questionnaires
from interlock.content.rulesets import load_patterns
from interlock.contract.match import match_contract
from interlock.documents.resources import data_dir
from interlock.fhir.scopes import coverage
from interlock.judge.patterns import PatternLibrary
from interlock.judge.variables import RuleInputs
from interlock.model.contract import Launch, Need, WorkflowContract
from interlock.model.observation import Check, Observation
from interlock.model.organization import Organization
from interlock.probe.assemble import base_facts, with_advertised
from interlock.probe.recheck import with_contract
from interlock.probe.transport.exchange import Exchange, Purpose

pytestmark = pytest.mark.fast

BASE = "https://ehr.example.org/fhir"
AUTH = "https://auth.example.com"
US_CORE = "http://hl7.org/fhir/us/core"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def _resource(kind: str, profiles: list[str], writes: bool, **parameters: str) -> dict[str, Any]:
    return {
        "type": kind,
        "supportedProfile": [f"{US_CORE}/StructureDefinition/us-core-{profile}|6.1.0" for profile in profiles],
        "interaction": [{"code": code} for code in ("read", "search-type", *(("create", "update") if writes else ()))],
        "searchParam": [{"name": name, "type": kind} for name, kind in parameters.items()],
    }


def good_statement() -> dict[str, Any]:
    """A statement with which nothing is wrong."""
    return {
        "resourceType": "CapabilityStatement",
        "name": "TestServer",
        "status": "active",
        "date": "2026-10-01",
        "kind": "instance",
        "software": {"name": "Mock", "version": "1.0"},
        "implementation": {"description": "Mock", "url": BASE},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "instantiates": [f"{US_CORE}/CapabilityStatement/us-core-server|6.1.0"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": True,
                    "service": [{"coding": [{"code": "SMART-on-FHIR"}]}],
                    "extension": [
                        {
                            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                            "extension": [
                                {"url": "authorize", "valueUri": f"{AUTH}/authorize"},
                                {"url": "token", "valueUri": f"{AUTH}/token"},
                            ],
                        }
                    ],
                },
                "resource": [
                    _resource("Patient", ["patient"], False, _id="token", name="string"),
                    _resource("Encounter", ["encounter"], False, patient="reference", date="date"),
                    _resource(
                        "Observation", ["vital-signs", "observation-lab"], True, patient="reference", code="token"
                    ),
                    _resource("Condition", ["condition-problems-health-concerns"], False, patient="reference"),
                    _resource("DocumentReference", ["documentreference"], True, patient="reference"),
                ],
            }
        ],
    }


def good_smart() -> dict[str, Any]:
    """A SMART configuration with which nothing is wrong."""
    return {
        "issuer": AUTH,
        "jwks_uri": f"{AUTH}/jwks",
        "authorization_endpoint": f"{AUTH}/authorize",
        "token_endpoint": f"{AUTH}/token",
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "scopes_supported": [
            *("openid", "fhirUser", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access"),
            *("patient/*.rs", "user/*.cruds", "system/*.rs"),
        ],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "introspection_endpoint": f"{AUTH}/introspect",
        "revocation_endpoint": f"{AUTH}/revoke",
        "management_endpoint": f"{AUTH}/manage",
        "capabilities": [
            *("launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric"),
            *("client-confidential-asymmetric", "sso-openid-connect", "context-ehr-patient", "context-ehr-encounter"),
            *("context-standalone-patient", "permission-offline", "permission-online", "permission-patient"),
            *("permission-user", "permission-v1", "permission-v2", "authorize-post"),
        ],
    }


PROVIDER = {
    "authorization_endpoint": f"{AUTH}/authorize",
    "token_endpoint": f"{AUTH}/token",
    "jwks_uri": f"{AUTH}/jwks",
    "response_types_supported": ["code"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}
CONTRACT = WorkflowContract(
    version="1",
    title="Example",
    launch=Launch(modes=("ehr",), context=("patient",), client="confidential-asymmetric"),
    inputs=(
        Need(
            resource="Observation",
            profile=f"{US_CORE}/StructureDefinition/us-core-vital-signs",
            interactions=("read", "search"),
        ),
        Need(
            resource="Observation",
            profile=f"{US_CORE}/StructureDefinition/us-core-observation-lab",
            interactions=("read", "search"),
        ),
    ),
)


def answers(
    statement: dict[str, Any] | None = None, smart: dict[str, Any] | None = None, **others: Any
) -> dict[Purpose, Exchange]:
    documents_of = documents(**others)
    accept = {"accept": "application/fhir+json; fhirVersion=4.0", "headers": {"etag": '"1"'}, "url": f"{BASE}/metadata"}
    body = json.dumps(statement or good_statement()).encode()
    documents_of["metadata"] = read("metadata", 200, "application/fhir+json", body, **accept)
    if smart != {}:
        documents_of["smart"] = read("smart", 200, "application/json", json.dumps(smart or good_smart()).encode())
    else:
        documents_of["smart"] = read("smart", 404, "text/plain", b"not found")
    return documents_of


def findings(checks: dict[str, Check]) -> dict[str, str]:
    """Without US Core's rows: these small statements claim the guide and declare little of it."""
    told = {"warn", "fail", "error"}
    return {name: one.outcome.value for name, one in checks.items() if one.outcome in told and one.id != "USC-002"}


def changed_smart(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (good_smart() | changes).items() if value is not None}


def observed(exchanges: dict[Purpose, Exchange]) -> Observation:
    return Observation.model_validate(
        {
            "target": {"base_url": BASE, "org": "a"},
            "started": "2026-11-30T00:00:00Z",
            "elapsed_ms": 1,
            "outcome": "observed",
            "facts": with_advertised(base_facts(exchanges, BASE), exchanges, BASE),
            "checks": tuple(judged(exchanges).values()),
            "requests": tuple(exchange.record for exchange in exchanges.values()),
        }
    )


def against(exchanges: dict[Purpose, Exchange], contract: WorkflowContract = CONTRACT) -> tuple[dict[str, Check], Any]:
    seen = observed(exchanges)
    fit = match_contract(contract, Organization(id="a", name="A", fhir_base_url=BASE), seen)
    return {check.id: check for check in with_contract(seen, contract, fit).checks}, fit


def test_of_a_well_behaved_server_nothing_is_said() -> None:
    assert findings(judged(answers(openid=PROVIDER | {"issuer": AUTH}))) == {}


def test_a_second_rest_entry_without_a_mode_is_named_and_its_facts_are_kept() -> None:
    statement = good_statement()
    security = statement["rest"][0].pop("security")
    statement["rest"].append({"security": security})
    checks = judged(answers(statement))
    assert findings(checks).keys() == {"CAP-013", "CAP-014"}
    assert "rest.mode" in checks["CAP-014"].message and checks["CAP-012"].outcome == "pass"


@pytest.mark.parametrize("smart", [None, {}], ids=["beside a SMART document", "without one"])
def test_addresses_as_strings_are_read_and_the_mistype_told(smart: dict[str, Any] | None) -> None:
    statement = good_statement()
    parts = statement["rest"][0]["security"]["extension"][0]["extension"]
    for part in parts:
        part["valueString"] = part.pop("valueUri")
    parts += [{"url": "introspect", "valueUri": f"{AUTH}/introspect"}, {"url": "revoke", "valueUri": f"{AUTH}/revoke"}]
    exchanges = answers(statement, smart)
    checks = judged(exchanges)
    assert checks["CAP-013"].outcome == "warn" and "valueString" in checks["CAP-013"].message
    assert checks["CAP-013"].message.endswith("(and 1 more)")  # introspect and revoke are as they should be
    facts = base_facts(exchanges, BASE)
    assert facts.smart is not None and facts.smart.token_endpoint == f"{AUTH}/token"
    assert checks["SMART-016"].outcome == ("warn" if smart == {} else "pass")


def test_a_format_that_is_no_mime_type() -> None:
    checks = judged(answers(good_statement() | {"format": ["fhir+json"]}))
    assert checks["CAP-041"].outcome == "warn" and "“fhir+json”" in checks["CAP-041"].message
    assert "neither a MIME type nor" in checks["CAP-013"].message


def granular(separator: str) -> dict[str, Any]:
    scopes = [f"patient/{kind}.rs" for kind in ("Patient", "Encounter", "DocumentReference", "Condition")]
    codes = ("laboratory", "vital-signs", "social-history", "survey")
    scopes += [f"patient/Observation.rs?category={CATEGORY}{separator}{code}" for code in codes]
    return changed_smart(scopes_supported=["openid", "fhirUser", "launch", "launch/patient", "offline_access", *scopes])


@pytest.mark.parametrize("separator", ["|", "%7C"])
def test_scopes_with_a_query_are_listed_with_a_restriction(separator: str) -> None:
    checks, fit = against(answers(smart=granular(separator)))
    (match,) = [match for match in fit.matches if match.name == "patient/Observation.rs"]
    assert match.outcome == "restricted"
    assert match.note == (
        "rs listed with category laboratory, vital-signs, social-history and survey only, which covers laboratory and "
        "vital-signs of the contract"
    )
    assert checks["SMART-055"].outcome == "warn"
    assert checks["SMART-055"].message.startswith("Listed with a restriction: “patient/Observation.rs”")
    assert "not listed" not in checks["SMART-055"].message.lower()


def test_writes_beside_restricted_reads_are_not_listed() -> None:
    writing = Need(resource="Observation", interactions=("create", "update"))
    contract = CONTRACT.model_copy(update={"outputs": (writing,)})
    checks, fit = against(answers(smart=granular("|")), contract)
    outcome_of = {match.name: (match.outcome, match.note) for match in fit.matches}
    assert outcome_of["patient/Observation.rs"][0] == "restricted"
    assert outcome_of["patient/Observation.cu"] == ("undeclared", "not listed; the list need not be complete")
    assert "covers laboratory and vital-signs" in checks["SMART-055"].message
    bare = CONTRACT.model_copy(update={"inputs": (Need(resource="Observation", interactions=("read",)),)})
    _, unprofiled = against(answers(smart=granular("|")), bare)
    (match,) = [match for match in unprofiled.matches if match.name == "patient/Observation.r"]
    assert match.outcome == "restricted" and "covers" not in (match.note or "")


def test_how_far_scopes_cover_another() -> None:
    listed = ["patient/Observation.r", "patient/Observation.s?category=a", "user/*.cruds"]
    assert coverage(listed, "patient/Observation.rs") == (False, "", "s", ("category=a",))
    assert coverage(listed, "patient/Observation.cs") == (False, "c", "s", ("category=a",))
    assert coverage(listed, "user/Task.c").listed and not coverage(listed, "launch").listed
    assert coverage(listed, "patient/Observation.s?category=a").listed


def test_letters_out_of_order_are_named() -> None:
    scopes = ["openid", "launch", "patient/Patient.sr", "patient/Observation.dus", "patient/Encounter.rs"]
    check = judged(answers(smart=changed_smart(scopes_supported=scopes)))["SMART-025"]
    assert check.outcome == "warn"
    assert "“patient/Patient.sr”" in check.message and "“patient/Observation.dus”" in check.message


TEMPLATE = "https://login.example.com/{tenantid}/v2.0"


def test_a_tenants_template_in_the_discovery_document() -> None:
    exchanges = answers(openid=PROVIDER | {"issuer": TEMPLATE})
    checks = judged(exchanges)
    assert checks["OIDC-003"].outcome == "fail" and "a template" in checks["OIDC-003"].message
    assert checks["OIDC-011"].outcome == "warn" and "record that issuer" in checks["OIDC-011"].message
    assert checks["OIDC-002"].outcome == "pass"
    assert pattern("PAT-046", observed(exchanges)) == "matched"


def test_a_tenants_template_in_the_smart_configuration() -> None:
    exchanges = answers(smart=changed_smart(issuer=TEMPLATE))
    checks = judged(exchanges)
    assert checks["OIDC-002"].outcome == "fail" and "{tenantid}" in checks["OIDC-002"].message
    assert checks["OIDC-011"].outcome == "warn"
    assert pattern("PAT-046", observed(exchanges)) == "matched"
    assert pattern("PAT-046", observed(answers())) == "not_matched"


def test_an_address_of_its_own_that_nobody_reaches_is_named_with_both() -> None:
    statement = good_statement()
    statement["implementation"]["url"] = "http://localhost:8080/fhir"
    check = judged(answers(statement))["CAP-010"]
    assert check.outcome == "warn"
    assert "“http://localhost:8080/fhir”" in check.message and BASE in check.message


def test_backend_access_that_is_not_declared_is_not_offered() -> None:
    smart = changed_smart(
        grant_types_supported=["authorization_code"],
        token_endpoint_auth_methods_supported=["client_secret_basic"],
        token_endpoint_auth_signing_alg_values_supported=None,
        capabilities=[name for name in good_smart()["capabilities"] if name != "client-confidential-asymmetric"],
    )
    contract = CONTRACT.model_copy(update={"launch": Launch(modes=("backend",), client="confidential-asymmetric")})
    checks, _ = against(answers(smart=smart), contract)
    assert (checks["SMART-052"].outcome, checks["SMART-054"].outcome) == ("fail", "fail")
    assert pattern("PAT-037", observed(answers(smart=smart)), contract) == "matched"


def test_a_session_that_nothing_lets_outlive_its_token_is_told() -> None:
    good = good_smart()
    smart = changed_smart(
        capabilities=[name for name in good["capabilities"] if name not in {"permission-offline", "permission-online"}],
        scopes_supported=[name for name in good["scopes_supported"] if not name.endswith("_access")],
    )
    assert pattern("PAT-047", observed(answers(smart=smart))) == "matched"
    assert pattern("PAT-047", observed(answers())) == "not_matched"


def test_key_rotation_of_the_server_and_a_missing_patient_are_asked() -> None:
    asked = {item.id for one in load_questionnaires((data_dir("questionnaires"),)) for item in one.questions()}
    assert {"auth.server_keys", "auth.launch_context", "org.encounter_context"} <= asked


def test_a_slash_at_the_end_of_an_issuer_is_another_issuer() -> None:
    check = judged(answers(openid=PROVIDER | {"issuer": f"{AUTH}/"}))["OIDC-003"]
    assert check.outcome == "fail" and "identical" in check.message


def test_lists_as_one_string() -> None:
    smart = changed_smart(scopes_supported="openid launch patient/*.rs", capabilities="launch-ehr sso-openid-connect")
    checks = judged(answers(smart=smart))
    assert (checks["SMART-005"].outcome, checks["SMART-022"].outcome) == ("fail", "warn")


def pattern(pattern_id: str, seen: Observation, contract: WorkflowContract = CONTRACT) -> str:
    library = PatternLibrary(load_patterns([data_dir("rulesets") / "patterns"]), ())
    inputs = RuleInputs(
        questionnaires=(),
        contract=contract,
        organizations=(Organization(id="a", name="A", fhir_base_url=BASE),),
        observations={"a": copy.deepcopy(seen)},
    )
    return next(match.outcome for match in library.match(inputs) if match.pattern == pattern_id)
