"""What a hospital reads of its own server: each sentence on the input that once made it false, and on its relatives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from probe_documents import smart, statement
from probe_judging import BASE, answered, documents, failed, judged, read

from interlock.contract.match import match_contract
from interlock.fhir.sampling import Wanted, count_resources
from interlock.model.contract import ContractFit, Need, WorkflowContract
from interlock.model.facts import Facts
from interlock.model.observation import Check, Observation, Target
from interlock.model.organization import Organization
from interlock.model.sample import DataFacts, InputSample
from interlock.probe.assemble import base_facts
from interlock.probe.checks.base import CheckInput
from interlock.probe.checks.registry import run_checks
from interlock.probe.recheck import with_contract
from interlock.probe.transport.exchange import Exchange, Purpose
from interlock.usecases.checks import auth_paths_of

pytestmark = pytest.mark.fast

ISSUER = "https://idp.example.org"
OLD = {
    "authorization_endpoint": "https://auth.example.org/authorize",
    "token_endpoint": "https://auth.example.org/token",
    "capabilities": ["launch-ehr", "client-public"],
}


def sso(**changes: Any) -> dict[str, Any]:
    listed = [*smart()["capabilities"], "sso-openid-connect"]
    return smart(**({"capabilities": listed, "issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"} | changes))


def said(check: Check) -> tuple[str, str]:
    return check.outcome.value, check.message


# -- keys, discovery, errors of the server ----------------------------------------------------------------------------

BROKEN = {
    "500": (500, "text/plain", b"down"),
    "bad JSON": (200, "application/json", b'{"keys": [,]}'),
    "a page": (200, "text/html", b"<html><title>Sign in</title>"),
    "401": (401, "application/json", b"{}"),
    "an empty object": (200, "application/json", b"{}"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize(("purpose", "check_id"), [("jwks", "JWKS-001"), ("openid", "OIDC-001")])
def test_what_stands_where_a_required_document_belongs_fails_in_its_own_words(
    purpose: Purpose, check_id: str, name: str
) -> None:
    exchanges = documents(metadata=statement(), smart=sso())
    exchanges[purpose] = read(purpose, *BROKEN[name])
    checks = judged(exchanges)
    outcome, message = said(checks[check_id])
    assert outcome == "fail"
    own = {"500": "HTTP 500", "bad JSON": "not valid JSON", "a page": "HTML page titled “Sign in”", "401": "HTTP 401"}
    assert own.get(name, "empty JSON object") in message
    assert (checks["NET-008"].outcome == "fail") == (name == "500")
    if name == "500":
        assert "Asked for the " in checks["NET-008"].message and "HTTP 500" in checks["NET-008"].message


def test_keys_that_nobody_needs_and_keys_that_could_not_be_reached_do_not_fail() -> None:
    exchanges = documents(metadata=statement(), smart=smart(jwks_uri=f"{ISSUER}/keys"))
    exchanges["jwks"] = read("jwks", 500, "text/plain", b"down")
    assert judged(exchanges)["JWKS-001"].outcome == "warn"
    with_issuer = documents(metadata=statement(), smart=smart(jwks_uri=f"{ISSUER}/keys", issuer=ISSUER))
    assert judged(with_issuer | {"jwks": exchanges["jwks"]})["JWKS-001"].outcome == "fail"
    exchanges["jwks"] = failed("jwks", "timeout", "no answer")
    assert judged(exchanges)["JWKS-001"].outcome == "not_observed"
    exchanges["jwks"] = read("jwks", 429, "text/plain", b"slow")
    assert judged(exchanges)["JWKS-001"].outcome == "not_observed"
    unasked = judged(documents(metadata=statement(), smart=sso()))["JWKS-001"]
    assert said(unasked) == ("not_observed", "Not observed: the key set was not asked for")


def test_media_types_of_discovery_and_keys() -> None:
    body = json.dumps({"issuer": ISSUER, "keys": []}).encode()
    exchanges = documents(metadata=statement(), smart=sso())
    for media_type, openid, jwks in (
        ("text/plain", "fail", "warn"),
        ("application/json; charset=utf-8", "pass", "pass"),
        ("application/jwk-set+json", "fail", "pass"),
    ):
        exchanges["openid"] = read("openid", 200, media_type, body)
        exchanges["jwks"] = read("jwks", 200, media_type, body)
        checks = judged(exchanges)
        assert (checks["OIDC-010"].outcome, checks["JWKS-008"].outcome) == (openid, jwks), media_type
        assert checks["OIDC-001"].outcome == "pass"


def test_a_server_error_is_counted_for_every_document_that_was_asked_for() -> None:
    clean = judged(documents(metadata=statement(), smart=smart()))["NET-008"]
    assert said(clean) == ("pass", "No server error and no request to slow down in 2 answers")
    for purpose in ("openid", "jwks", "udap", "cors-metadata"):
        exchanges = documents(metadata=statement(), smart=sso())
        exchanges[purpose] = read(purpose, 503, "text/plain", b"later")
        assert judged(exchanges)["NET-008"].outcome == "fail", purpose
    silent = documents(metadata=statement()) | {"smart": failed("smart", "timeout", "no answer")}
    assert judged(silent)["NET-008"].message.endswith("in 1 answer; 1 request got no answer")
    guessed = documents(metadata=statement(), smart=None)
    guessed["smart-root"] = read("smart-root", 500, "text/plain", b"")
    assert judged(guessed)["NET-008"].outcome == "pass"


# -- the issuer -------------------------------------------------------------------------------------------------------

TEMPLATE = "https://login.example.com/{tenantid}/v2.0"


def test_an_issuer_that_is_a_template_is_one_finding_told_without_contradiction() -> None:
    exchanges = documents(metadata=statement(), smart=sso(issuer=TEMPLATE))
    exchanges["openid"] = failed("openid", "refused", f"not followed: “{TEMPLATE}” is a template")
    checks = judged(exchanges)
    assert checks["OIDC-001"].outcome == "not_observed" and "template" in checks["OIDC-001"].message
    assert checks["OIDC-002"].outcome == "fail" and "{tenantid}" in checks["OIDC-002"].message
    assert checks["OIDC-011"].outcome == "warn"
    assert checks["OIDC-011"].message.startswith("Templated: one issuer a tenant")
    assert judged(documents(smart=sso()))["OIDC-011"].outcome == "pass"


# -- SMART: claims ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "outcome", "part"),
    [
        ({"response_types_supported": ["code", "token"]}, "warn", "response type “token”"),
        ({"response_types_supported": ["id_token token"]}, "warn", "“id_token token”"),
        ({"response_types_supported": ["code", "id_token"]}, "pass", "no response type brings a token"),
        ({"response_types_supported": None}, "pass", "the response types are not listed"),
        ({"grant_types_supported": ["implicit", "password"]}, "warn", "grant types “implicit” and “password”"),
        ({"grant_types_supported": None, "response_types_supported": ["token"]}, "warn", "“token”"),
        ({"grant_types_supported": None}, "not_observed", "not declared"),
    ],
)
def test_response_types_bring_tokens_too(changes: dict[str, Any], outcome: str, part: str) -> None:
    check = judged(documents(smart=smart(**changes)))["SMART-019"]
    assert check.outcome == outcome and part in check.message


def test_capabilities_of_smart_and_of_other_guides() -> None:
    names = ["context-passthrough-banner", "context-passthrough-style", "health-cards"]
    check = judged(documents(smart=smart(capabilities=[*smart()["capabilities"], *names])))["SMART-018"]
    assert check.outcome == "pass" and "SMART Health Cards" in check.message


def test_signing_algorithms_are_asked_for_once_and_as_a_question() -> None:
    document = smart(token_endpoint_auth_signing_alg_values_supported=None)
    exchanges = documents(metadata=statement(), smart=document)
    told = [check for check in judged(exchanges).values() if "lgorithm" in check.message and check.outcome != "pass"]
    findings = [check for check in told if check.outcome in {"warn", "fail"}]
    assert [(check.id, check.severity, check.outcome) for check in findings] == [("SMART-026", "medium", "warn")]
    assert findings[0].message.startswith("Ask which signing algorithms are accepted")
    assert not [one for path in paths(document) for one in path.open_questions if "algorithm" in one]
    public = smart(capabilities=["launch-ehr", "client-public"], token_endpoint_auth_methods_supported=["none"])
    assert "algorithm" not in judged(documents(smart=public))["SMART-026"].message


def paths(configuration: dict[str, Any]) -> tuple[Any, ...]:
    exchanges = documents(metadata=statement(), smart=configuration)
    return auth_paths_of(observed(exchanges))


def observed(exchanges: dict[Purpose, Exchange]) -> Observation:
    return Observation.model_validate(
        {
            "target": {"base_url": BASE, "org": "a"},
            "started": "2026-11-30T00:00:00Z",
            "elapsed_ms": 1,
            "outcome": "observed",
            "facts": base_facts(exchanges, BASE),
            "checks": tuple(judged(exchanges).values()),
            "requests": tuple(exchange.record for exchange in exchanges.values()),
        }
    )


def test_no_resource_scope_is_not_told_as_v1() -> None:
    questions = paths(smart(scopes_supported=["openid", "launch"]))[0].open_questions
    assert any(one.endswith("permission-v2 is claimed, no resource scope is listed") for one in questions)
    questions = paths(smart(scopes_supported=["patient/*.read"]))[0].open_questions
    assert any(one.endswith("v1 scopes are listed") for one in questions)


OPEN_STATEMENT = statement(rest=[{"mode": "server", "resource": statement()["rest"][0]["resource"]}])


def test_an_open_server_owes_no_smart_configuration() -> None:
    check = judged(documents(metadata=OPEN_STATEMENT, smart=None))["SMART-001"]
    assert check.outcome == "not_applicable" and "ask whether the server is open" in check.message
    assert judged(documents(metadata=statement(), smart=None))["SMART-001"].outcome == "fail"
    refused = documents(metadata=OPEN_STATEMENT, smart=None)
    refused["anonymous-read"] = read("anonymous-read", 401, "text/plain", b"")
    assert judged(refused, active=True)["SMART-001"].outcome == "fail"
    guarded = {"metadata": read("metadata", 401, "text/plain", b""), "smart": answered("smart", None)}
    assert judged(guarded)["SMART-001"].outcome == "fail"
    unseen = {"metadata": failed("metadata", "timeout", "no answer"), "smart": answered("smart", None)}
    assert judged(unseen)["SMART-001"].outcome == "not_observed"
    hollow = documents(metadata=OPEN_STATEMENT) | {"smart": read("smart", 200, "application/json", b"{}")}
    assert judged(hollow)["SMART-001"].outcome == "not_applicable"


def test_a_base_of_an_earlier_release_is_told_which_edition_it_may_follow() -> None:
    for release, told in (("3.0.1", True), ("4.0.1", False)):
        exchanges = documents(metadata=oauth_uris() | {"fhirVersion": release}, smart=None)
        message = judged(exchanges)["SMART-001"].message
        assert "SHALL serve one" in message
        assert ("a base of STU3 may follow SMART 1.0" in message) is told, message


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        (smart(code_challenge_methods_supported=None), "fail"),
        (smart(code_challenge_methods_supported=""), "fail"),
        (smart(code_challenge_methods_supported=[""]), "fail"),
        (smart(code_challenge_methods_supported="S256"), "fail"),
        (OLD, "warn"),
        (OLD | {"code_challenge_methods_supported": {"S256": True}}, "fail"),
        (OLD | {"grant_types_supported": ["authorization_code"]}, "warn"),
        (OLD | {"scopes_supported": ["patient/*.rs"]}, "fail"),
        (smart(), "pass"),
    ],
)
def test_pkce_is_owed_where_anything_shows_smart_2(document: dict[str, Any], outcome: str) -> None:
    assert judged(documents(smart=document))["SMART-004"].outcome == outcome


def test_capabilities_that_are_no_strings_fail_and_other_types_warn() -> None:
    wrong = judged(documents(smart=smart(capabilities=["launch-ehr", 7, {"a": 1}])))["SMART-022"]
    assert wrong.outcome == "fail" and "apabilities holds a number" in wrong.message
    assert judged(documents(smart=smart(scopes_supported="openid")))["SMART-022"].outcome == "warn"
    twice = json.dumps(smart()).replace(
        '"token_endpoint":', '"token_endpoint": "https://a.example/t", "token_endpoint":'
    )
    checks = judged({"smart": read("smart", 200, "application/json", twice.encode())})
    assert said(checks["SMART-022"]) == ("warn", "The member “token_endpoint” is given twice in one object")


def test_sign_on_of_smart_1_0_has_no_issuer_to_give() -> None:
    old = OLD | {"capabilities": ["launch-ehr", "client-public", "sso-openid-connect"]}
    check = judged(documents(smart=old))["SMART-007"]
    assert check.outcome == "pass" and "SMART 1.0" in check.message
    newer = old | {"capabilities": [*old["capabilities"], "permission-v2"]}
    assert judged(documents(smart=newer))["SMART-007"].outcome == "fail"


def oauth_uris(key: str = "valueUri") -> dict[str, Any]:
    document = statement()
    document["rest"][0]["security"]["extension"] = [
        {
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [{"url": "token", key: "https://auth.example.org/token"}],
        }
    ]
    return document


@pytest.mark.parametrize(
    "instead",
    [
        answered("smart", None),
        read("smart", 200, "text/html", b"<!doctype html><html>"),
        read("smart", 200, "application/json", b"{}"),
    ],
    ids=["404", "a page", "an empty object"],
)
def test_the_statements_addresses_are_kept_whatever_stands_there_instead(instead: Exchange) -> None:
    exchanges = documents(metadata=oauth_uris()) | {"smart": instead}
    facts = base_facts(exchanges, BASE)
    assert facts.smart is not None and facts.smart.source == "oauth-uris"
    assert facts.smart.token_endpoint == "https://auth.example.org/token"
    assert judged(exchanges)["SMART-016"].outcome == "warn"


def test_a_configuration_that_was_not_seen_is_not_replaced() -> None:
    for unseen in (failed("smart", "timeout", "no answer"), read("smart", 500, "text/plain", b"")):
        assert base_facts(documents(metadata=oauth_uris()) | {"smart": unseen}, BASE).smart is None


# -- the statement ----------------------------------------------------------------------------------------------------


def resource(**changes: Any) -> dict[str, Any]:
    return {**statement()["rest"][0]["resource"][0], **changes}


def of(*resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return statement(rest=[{"mode": "server", "resource": list(resources)}], **changes)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (of(resource(type="Foo")), "“Foo” is no resource type of R4"),
        (of(resource(interaction=[{"code": "readd"}])), "“readd” is no interaction with a type in R4 (Patient)"),
        (of(resource(searchParam=[{"name": "a", "type": "foo"}])), "“foo” is no type of a search parameter"),
        (of(resource(profile={"reference": "http://a.example/p"})), "A profile is an object, where R4 has an address"),
        (of(resource(supportedProfile=[{"reference": "http://a.example/p"}])), "A profile is an object"),
        (of(resource(profile="http://a.example/p"), fhirVersion="3.0.2"), "A profile is a string, where STU3 has"),
        (statement(kind="thing"), "The kind “thing” is none of capability, instance, requirements"),
        (statement(format=["json", "fhir+json"]), "The format “fhir+json” is neither a MIME type nor"),
        (oauth_uris("valueString"), "The oauth-uris part token has valueString, where clients read valueUri"),
        (
            statement(rest=[{"mode": "server", "interaction": [{"code": "read"}]}]),
            "“read” is no interaction with a system",
        ),
        (of(resource(searchParam=[{"name": "a", "type": 5}])), "Type is a number, not a string"),
    ],
)
def test_codes_and_types_that_the_release_does_not_have_are_named(document: dict[str, Any], named: str) -> None:
    check = judged(documents(metadata=document))["CAP-013"]
    assert check.outcome == "warn"
    assert check.message.startswith(named)


def text_of(document: dict[str, Any], *changes: tuple[str, str]) -> bytes:
    text = json.dumps(document, ensure_ascii=False)
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return text.encode()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (text_of(statement(), ('"kind":', '"other": NaN, "kind":')), "NaN stands where a value belongs"),
        (
            text_of(statement(), ('"fhirVersion":', '"fhirVersion": "1.0.2", "fhirVersion":')),
            "The member “fhirVersion” is given twice in one object",
        ),
        (text_of(statement()) + b"trailing", "8 characters follow the end of the document"),
    ],
)
def test_slips_of_the_json_are_named(body: bytes, named: str) -> None:
    checks = judged({"metadata": read("metadata", 200, "application/fhir+json", body)})
    assert said(checks["CAP-013"]) == ("warn", named)
    assert checks["CAP-005"].outcome == "pass"


def test_a_release_that_is_unknown_binds_nothing() -> None:
    check = judged(documents(metadata=of(resource(type="Foo"), fhirVersion="4.4.0")))["CAP-013"]
    assert "belongs to no published release" in check.message and "Foo" not in check.message


@pytest.mark.parametrize(
    ("lists", "element"),
    [
        ({"searchParam": [{"name": "a"}]}, "rest.resource.searchParam.type"),
        ({"searchParam": [{"type": "token"}]}, "rest.resource.searchParam.name"),
        ({"interaction": [{"documentation": "read"}]}, "rest.resource.interaction.code"),
        ({"operation": [{"name": "everything"}]}, "rest.resource.operation.definition"),
    ],
)
def test_what_is_required_in_a_list_warns_where_it_lacks(lists: dict[str, Any], element: str) -> None:
    check = judged(documents(metadata=of(resource(**lists))))["CAP-014"]
    assert check.outcome == "warn" and element in check.message
    assert check.evidence[0].pointer == f"/rest/0/resource/0/{next(iter(lists))}"


def test_the_readers_own_bounds_are_told_as_ours() -> None:
    large = of(resource(searchParam=[{"name": f"-p{number}", "type": "token"} for number in range(1_500)]))
    check = judged(documents(metadata=large))["CAP-013"]
    assert check.outcome == "not_observed"
    assert "this program read a part only" in check.message and "1,500 entries" in check.message
    scopes = smart(scopes_supported=[f"patient/T{number}.rs" for number in range(6_000)])
    assert judged(documents(smart=scopes))["SMART-022"].outcome == "not_observed"


def test_an_operation_is_an_offer() -> None:
    export = [{"name": "export", "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export"}]
    checks = judged(documents(metadata=of(resource(), {"type": "Group", "operation": export})))
    assert checks["CAP-008"].outcome == "pass"
    bare = judged(documents(metadata=of(resource(), {"type": "Group"})))["CAP-008"]
    assert bare.outcome == "warn" and "without any interaction or operation: “Group”" in bare.message


@pytest.mark.parametrize(
    ("definition", "outcome", "part"),
    [
        (None, "warn", "by name only"),
        ("https://vendor.example/OperationDefinition/group-export", "warn", "definition that is not the guide's"),
        (f"https://vendor.example/{'a' * 90}/group-export", "warn", f"/{'a' * 90}/group-export”"),
        ("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export|2.0.0", "pass", "the guide's definition"),
    ],
)
def test_exports_by_name_by_another_definition_and_by_the_guides(
    definition: str | None, outcome: str, part: str
) -> None:
    operation = {"name": "export"} | ({"definition": definition} if definition else {})
    check = judged(documents(metadata=of({"type": "Group", "operation": [operation]})))["BULK-002"]
    assert check.outcome == outcome and part in check.message


# -- the contract -----------------------------------------------------------------------------------------------------


def compared(document: dict[str, Any], *needs: Need, release: str = "R4") -> tuple[dict[str, Check], ContractFit]:
    contract = WorkflowContract.model_validate(
        {"version": "1", "title": "Example", "inputs": needs, "fhir_release": release}
    )
    seen = observed(documents(metadata=document, smart=smart()))
    fit = match_contract(contract, Organization(id="a", name="A", fhir_base_url=BASE), seen)
    return {check.id: check for check in with_contract(seen, contract, fit).checks}, fit


def _operation(name: str, type_name: str = "", number: int = 0) -> dict[str, str]:
    end = f"{type_name}-{name}" if type_name else f"x{number}"
    return {"name": name, "definition": f"http://hl7.org/fhir/OperationDefinition/{end}"}


def test_an_operation_far_down_a_long_list_is_found() -> None:
    many = [_operation(f"op{number}", number=number) for number in range(1_188)]
    many[1_162] = _operation("expand", "ValueSet")
    document = statement(rest=[{"mode": "server", "resource": [resource(type="ValueSet")], "operation": many}])
    checks, _ = compared(document, Need(resource="ValueSet", operations=("$expand",)))
    assert checks["CAP-055"].outcome == "pass"


@pytest.mark.parametrize("place", ["type", "system"])
def test_an_operation_of_other_types_is_missing_at_this_one(place: str) -> None:
    kinds = ("Patient", "Encounter")
    at_type = [resource(type=kind, operation=[_operation("everything", kind)]) for kind in kinds]
    at_system = [_operation("everything", kind) for kind in kinds]
    rest: dict[str, Any] = {"mode": "server", "resource": [resource(type="Observation")]}
    rest["resource"] += at_type if place == "type" else [resource(type=kind) for kind in kinds]
    rest |= {"operation": at_system} if place == "system" else {}
    checks, fit = compared(statement(rest=[rest]), Need(resource="Observation", operations=("everything",)))
    assert checks["CAP-055"].outcome == "fail" and "Observation.everything" in checks["CAP-055"].message
    (match,) = [match for match in fit.matches if match.kind == "operation"]
    assert match.note == "declared for Encounter and Patient only"
    of_patient, _ = compared(statement(rest=[rest]), Need(resource="Patient", operations=("everything",)))
    assert of_patient["CAP-055"].outcome == "pass"


def test_what_this_program_did_not_read_is_not_missing() -> None:
    large = of(resource(searchParam=[{"name": f"-p{number}", "type": "token"} for number in range(1_500)]))
    checks, fit = compared(large, Need(resource="Patient", search_parameters=("-p1400",)), Need(resource="Flag"))
    assert (checks["CAP-051"].outcome, checks["CAP-053"].outcome) == ("warn", "warn")
    assert all(
        "this program read a part" in (match.note or "") for match in fit.matches if match.outcome == "undeclared"
    )


def test_r4_beside_r4b_is_a_question_with_what_differs() -> None:
    need = Need(resource="Observation", required_fields=("status", "subject"))
    checks, _ = compared(of(resource(type="Observation"), fhirVersion="4.3.0"), need)
    assert checks["CAP-050"].outcome == "warn"
    assert "Observation.subject" in checks["CAP-050"].message and "ask which is meant" in checks["CAP-050"].message
    same, _ = compared(of(resource(), fhirVersion="4.3.0"), Need(resource="Patient", required_fields=("birthDate",)))
    assert "what it uses is the same in both" in same["CAP-050"].message


def test_a_base_of_another_release_is_told_once_and_its_types_are_not_held_against_it() -> None:
    needs = Need(resource="ServiceRequest", interactions=("read",)), Need(resource="Patient", interactions=("create",))
    checks, _ = compared(of(resource(), fhirVersion="3.0.1"), *needs)
    said = "The product's contract is written for R4; this base is of STU3 (“3.0.1”)"
    assert (checks["CAP-050"].outcome, checks["CAP-050"].message) == ("fail", said)
    others = {checks[f"CAP-05{number}"].message for number in (1, 2)}
    assert others == {"Not applicable: the contract is written for another release than this base's (see CAP-050)"}


def test_what_is_of_a_type_that_is_not_declared_is_told_with_the_type_alone() -> None:
    needs = Need(resource="Flag", interactions=("read",), search_parameters=("patient",)), Need(resource="Patient")
    checks, fit = compared(of(resource()), *needs)
    assert checks["CAP-051"].message == "Needed by the contract and not declared: “Flag”"
    assert checks["CAP-053"].message.startswith("Not applicable: what is missing is of types that are not declared")
    assert {match.kind for match in fit.matches if match.outcome == "missing"} >= {"resource", "search_parameter"}
    more, _ = compared(of(resource()), *needs, Need(resource="Patient", search_parameters=("birthdate",)))
    assert more["CAP-053"].message == "Needed by the contract and not declared: “Patient?birthdate”"


def test_a_profile_is_called_by_its_name() -> None:
    core = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
    document = of(resource(type="Observation", supportedProfile=[f"{core}bmi|6.1.0"]))
    wanted = [Need(resource="Observation", profile=core + name) for name in ("observation-lab", "smokingstatus")]
    names = "“Observation: us-core-observation-lab” and “Observation: us-core-smokingstatus”"
    assert compared(document, *wanted)[0]["CAP-054"].message.endswith(f"not declared: {names}")
    checks, fit = compared(document, Need(resource="Observation", profile=f"{core}vital-signs"))
    assert checks["CAP-054"].outcome == "warn", "who declares what builds on a profile does not lack it"
    (match,) = [match for match in fit.matches if match.kind == "profile"]
    assert (match.note or "").startswith("declared are profiles that build on it: us-core-bmi;")


def test_a_kind_of_client_whose_method_is_listed_is_asked_for_and_not_missing() -> None:
    contract = WorkflowContract.model_validate(
        {"version": "1", "title": "Example", "launch": {"modes": ["backend"], "client": "confidential-asymmetric"}}
    )

    def of_client(methods: list[str]) -> Check:
        listed = smart(capabilities=["client-public"], token_endpoint_auth_methods_supported=methods)
        seen = observed(documents(metadata=statement(), smart=listed))
        fit = match_contract(contract, Organization(id="a", name="A", fhir_base_url=BASE), seen)
        return {check.id: check for check in with_contract(seen, contract, fit).checks}["SMART-054"]

    said = "The product is a client-confidential-asymmetric, which is not among the capabilities"
    beside = of_client(["private_key_jwt"])
    assert beside.outcome == "warn"
    assert beside.message == f"{said}, though “private_key_jwt” is listed as an authentication method"
    assert of_client(["client_secret_basic"]).message == f"{said}; listed: “client-public”"


def test_a_medication_by_reference_has_its_code_elsewhere() -> None:
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    category = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/x", "code": "y"}]}]
    by_code = {"medicationCodeableConcept": {"coding": [{"system": rxnorm, "code": "1"}]}}
    by_reference = {"medicationReference": {"reference": "Medication/1"}, "category": category}

    def of_sample(*resources: dict[str, Any]) -> Check:
        wanted = Wanted("MedicationRequest", terminology=(rxnorm,))
        counts = count_resources(resources, wanted)
        sample = InputSample(
            resource="MedicationRequest",
            outcome="sampled",
            count=counts.count,
            systems=counts.systems,
            terminology=(rxnorm,),
            expected=counts.expected,
            uncoded=counts.uncoded,
            referenced=counts.referenced,
        )
        facts = Facts(data=DataFacts(method="bearer_token", inputs=(sample,)))
        (found,) = [check for check in run_checks(CheckInput(BASE, facts, {})) if check.id == "DATA-004"]
        return found

    for given, number in (((by_reference,), 1), ((by_code, by_reference), 2)):
        check = of_sample(*given)
        assert check.outcome == "not_observed"
        assert f"MedicationRequest refers in 1 of {number} to another resource, which has the code" in check.message
    mixed = of_sample({"category": category}, by_reference)
    assert mixed.outcome == "warn" and "refers in 1 of 2 to another resource" in mixed.message
    assert of_sample(by_code).outcome == "pass"


def test_a_page_of_a_firewall_is_no_statement_behind_a_token() -> None:
    page = b"<!doctype html><title>Request blocked</title>"
    exchanges = {purpose: read(purpose, 403, "text/html", page) for purpose in ("metadata", "smart")}
    checks = judged(exchanges)  # type: ignore[arg-type]
    assert (checks["NET-024"].outcome, checks["CAP-002"].outcome) == ("warn", "not_observed")
    refused = judged({"metadata": read("metadata", 403, "application/json", b"{}")})
    assert (refused["NET-024"].outcome, refused["CAP-002"].outcome) == ("pass", "warn")


def test_a_page_to_sign_in_is_no_patient_given_away() -> None:
    page = replace(counted(200, "html", "an HTML page"), purpose="anonymous-read")
    exchanges = documents(metadata=statement(), smart=smart()) | {"anonymous-read": page}
    check = judged(exchanges, active=True)["NEG-004"]
    assert check.outcome == "not_observed" and "(a read: HTTP 200 with an HTML page)" in check.message


# -- without a token --------------------------------------------------------------------------------------------------


def without_token(read_status: int, count: Exchange | None, reading: str = "") -> Check:
    exchanges = documents(metadata=statement(), smart=smart())
    exchanges["anonymous-read"] = read("anonymous-read", read_status, "application/fhir+json", b"{}")
    if count is not None:
        exchanges["anonymous-count"] = count
    return judged(exchanges, active=True)["NEG-004"]


def counted(status: int, reading: str = "unrelated", detail: str = "something") -> Exchange:
    exchange = read("anonymous-count", status, "application/fhir+json", b"{}")
    return replace(exchange, reading=reading, detail=detail)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "count", "outcome"),
    [
        (404, None, "not_observed"),
        (404, counted(404), "not_observed"),
        (404, counted(400), "not_observed"),
        (404, counted(200, "empty", "a Bundle that counts nothing"), "not_observed"),
        (404, counted(200, "operation_outcome"), "not_observed"),
        (404, counted(401), "pass"),
        (404, counted(403), "pass"),
        (404, counted(200, "bundle", "a Bundle"), "fail"),
        (401, counted(200, "bundle", "a Bundle"), "fail"),
        (401, counted(404), "pass"),
    ],
)
def test_a_404_to_what_cannot_exist_says_nothing_and_the_count_decides(
    status: int, count: Exchange | None, outcome: str
) -> None:
    assert without_token(status, count).outcome == outcome


def test_the_target_of_a_probe_is_told_as_absent_by_the_answer_alone() -> None:
    seen = observed(documents(metadata=OPEN_STATEMENT, smart=None))
    assert seen.smart_absent
    assert "publishes no SMART configuration" in auth_paths_of(seen)[0].reason
    assert not Observation(
        target=Target(base_url=BASE), started=seen.started, elapsed_ms=1, outcome="partial"
    ).smart_absent
