"""Each check on documents made for it, and the register of all of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_documents import smart, statement

from interlock.fhir.capability import tolerate
from interlock.model.base import CheckOutcome
from interlock.model.observation import Check, RequestRecord
from interlock.probe.assemble import base_facts, with_advertised
from interlock.probe.checks import registry
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.registry import list_checks, run_checks
from interlock.probe.checks.results import passed
from interlock.probe.checks.sources import cite
from interlock.probe.transport.exchange import PURPOSES, Exchange, Purpose
from tiers import rounds

pytestmark = pytest.mark.fast

BASE = "https://ehr.example.org/fhir"


def exchange(purpose: Purpose, document: Any, content_type: str = "application/json") -> Exchange:
    if document is None:
        record = RequestRecord(method="GET", url=f"{BASE}/{purpose}", elapsed_ms=1, status=404, reading="absent")
        return Exchange(purpose, (record,), "absent", "the server has nothing there (HTTP 404)")
    record = RequestRecord(
        method="GET",
        url=f"{BASE}/{purpose}",
        elapsed_ms=1,
        status=200,
        content_type=content_type,
        accept="application/fhir+json",
        reading="document",
    )
    read_as = tolerate(document) if purpose in {"metadata", "cors-metadata"} else document
    return Exchange(purpose, (record,), "document", "a document", document=read_as)


def outcomes(**documents: Any) -> dict[str, Check]:
    """Checks of a server that answered with these documents; None is a 404."""
    exchanges: dict[Purpose, Exchange] = {}
    for name, document in documents.items():
        purpose: Purpose = name  # type: ignore[assignment]
        exchanges[purpose] = exchange(purpose, document)
    facts = with_advertised(base_facts(exchanges, BASE), exchanges, BASE)
    return {check.id: check for check in run_checks(CheckInput(BASE, facts, exchanges))}


def test_a_well_behaved_server_fails_nothing() -> None:
    checks = outcomes(metadata=statement(), smart=smart())
    assert {check.id for check in checks.values() if check.outcome in {"fail", "error"}} == set()
    assert {check.id for check in checks.values() if check.outcome == "warn"} == {"CAP-017", "CAP-043", "SMART-020"}


def without(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for part in path[:-1]:
            document = document[part]
        del document[path[-1]]

    return change


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = value

    return change


RESOURCE = ("rest", 0, "resource")

STATEMENTS: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
    ("CAP-006", "fail", without("fhirVersion")),
    ("CAP-006", "warn", put("fhirVersion", value="4.4.0")),
    ("CAP-007", "fail", without("date")),
    ("CAP-007", "fail", put("format", value=[])),
    ("CAP-007", "fail", put("fhirVersion", value="3.0.2")),  # STU3 requires acceptUnknown
    ("CAP-008", "warn", put("rest", value=[{"mode": "client", "resource": [{"type": "Patient"}]}])),
    ("CAP-008", "warn", without(*RESOURCE, 0, "interaction")),
    ("CAP-009", "warn", put("meta", value={"tag": [{"code": "SUBSETTED"}]})),
    ("CAP-010", "pass", put("implementation", "url", value="http://EHR.example.org/fhir/")),
    ("CAP-010", "warn", put("implementation", "url", value="https://ehr.example.org/other/fhir")),
    ("CAP-010", "not_applicable", without("name")),
    ("CAP-011", "warn", without("software")),
    ("CAP-011", "warn", without("software", "version")),
    ("CAP-012", "warn", without("rest", 0, "security")),
    ("CAP-013", "warn", put("kind", value=7)),
    ("CAP-020", "warn", put("name", value="an example")),
    ("CAP-021", "fail", without("rest")),
    ("CAP-022", "pass", without("software")),
    ("CAP-023", "fail", put("messaging", value=[{"endpoint": [{"address": "x"}]}])),
    ("CAP-027", "fail", put("document", value=[{"profile": "p", "mode": "producer"}] * 2)),
    ("CAP-029", "fail", put("rest", 0, "resource", value=[{"type": "Patient"}, {"type": "Patient"}])),
    ("CAP-032", "fail", put(*RESOURCE, 0, "searchParam", value=[{"name": "a"}, {"name": "a"}])),
    ("CAP-034", "fail", without("implementation")),
    ("CAP-035", "fail", put("kind", value="capability")),
    ("CAP-036", "fail", put("kind", value="requirements")),
    ("CAP-001", "pass", put("resourceType", value="Conformance")),
]


@pytest.mark.parametrize(("check_id", "outcome", "change"), STATEMENTS)
def test_statements(check_id: str, outcome: str, change: Callable[[dict[str, Any]], None]) -> None:
    document = statement()
    change(document)
    if check_id == "CAP-023":
        document["kind"] = "capability"
    assert outcomes(metadata=document, smart=smart())[check_id].outcome == outcome


def test_kind_and_content_are_judged_together() -> None:
    """``kind: capability`` is legal; its combination with implementation is not (cpb-15 of R4 4.0.1)."""
    legal = statement(kind="capability", implementation=None)
    assert outcomes(metadata=legal)["CAP-035"].outcome == "pass"
    bare = statement(kind="requirements", implementation=None, software=None)
    checks = outcomes(metadata=bare)
    assert checks["CAP-036"].outcome == "pass"
    assert checks["CAP-022"].outcome == "fail"


def test_invariants_of_r4_are_not_applied_to_other_releases() -> None:
    checks = outcomes(metadata=statement(fhirVersion="5.0.0", kind="capability"))
    assert {check.outcome for check_id, check in checks.items() if "CAP-020" <= check_id <= "CAP-036"} == {
        "not_applicable"
    }


def capabilities(*dropped: str, add: tuple[str, ...] = ()) -> list[str]:
    return [name for name in smart()["capabilities"] if name not in dropped] + list(add)


CONFIGURATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("SMART-004", "fail", {"code_challenge_methods_supported": ["S256", "plain"]}),
    ("SMART-004", "fail", {"code_challenge_methods_supported": ["plain"]}),
    ("SMART-004", "fail", {"code_challenge_methods_supported": []}),
    ("SMART-004", "fail", {"code_challenge_methods_supported": None}),
    ("SMART-005", "fail", {"token_endpoint": None}),
    ("SMART-005", "fail", {"capabilities": "launch-ehr"}),
    ("SMART-005", "fail", {"grant_types_supported": None}),
    ("SMART-005", "pass", {"capabilities": []}),
    ("SMART-006", "fail", {"authorization_endpoint": None}),
    (
        "SMART-006",
        "not_applicable",
        {"authorization_endpoint": None, "capabilities": capabilities("launch-ehr", "launch-standalone")},
    ),
    ("SMART-007", "not_applicable", {}),
    ("SMART-007", "warn", {"issuer": "https://idp.example.org"}),
    ("SMART-007", "fail", {"capabilities": capabilities(add=("sso-openid-connect",))}),
    ("SMART-008", "fail", {"token_endpoint": "/token"}),
    ("SMART-008", "fail", {"token_endpoint": "auth.example.org/token"}),
    ("SMART-009", "fail", {"token_endpoint": "http://auth.example.org/token"}),
    ("SMART-009", "not_applicable", {"token_endpoint": "http://localhost/token"}),
    ("SMART-010", "warn", {"token_endpoint": "https://ehrprod01/token"}),
    ("SMART-010", "warn", {"token_endpoint": "https://10.1.2.3/token"}),
    ("SMART-010", "pass", {}),
    ("SMART-011", "fail", {"grant_types_supported": ["client_credentials"]}),
    ("SMART-011", "not_observed", {"grant_types_supported": None}),
    ("SMART-012", "warn", {"capabilities": capabilities("client-public")}),
    ("SMART-012", "warn", {"capabilities": [], "grant_types_supported": ["authorization_code"]}),
    ("SMART-012", "not_observed", {"capabilities": None}),
    (
        "SMART-012",
        "not_applicable",
        {"capabilities": ["client-confidential-asymmetric", "permission-v2"]},
    ),
    ("SMART-013", "warn", {"scopes_supported": ["patient/*.read", "openid"]}),
    ("SMART-013", "warn", {"capabilities": capabilities("permission-v2")}),
    ("SMART-013", "not_applicable", {"scopes_supported": ["launch", "openid", "offline_access"]}),
    ("SMART-013", "not_observed", {"scopes_supported": None}),
    ("SMART-014", "fail", {"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
    ("SMART-014", "fail", {"token_endpoint_auth_signing_alg_values_supported": ["RS256"]}),
    ("SMART-014", "not_observed", {"token_endpoint_auth_signing_alg_values_supported": None}),
    ("SMART-014", "pass", {"token_endpoint_auth_signing_alg_values_supported": ["ES384"]}),
    ("SMART-014", "not_applicable", {"capabilities": capabilities("client-confidential-asymmetric")}),
    ("SMART-018", "warn", {"capabilities": capabilities(add=("vendor-cards",))}),
    ("SMART-018", "pass", {"capabilities": capabilities(add=("https://vendor.example/cap",))}),
    ("SMART-019", "warn", {"grant_types_supported": ["authorization_code", "implicit"]}),
]


@pytest.mark.parametrize(("check_id", "outcome", "changes"), CONFIGURATIONS)
def test_configurations(check_id: str, outcome: str, changes: dict[str, Any]) -> None:
    assert outcomes(metadata=statement(), smart=smart(**changes))[check_id].outcome == outcome


def test_a_configuration_of_smart_1_0_is_not_held_to_2_x() -> None:
    old = {
        "authorization_endpoint": "https://auth.example.org/authorize",
        "token_endpoint": "https://auth.example.org/token",
        "capabilities": ["launch-ehr", "client-public"],
    }
    checks = outcomes(smart=old)
    assert checks["SMART-005"].outcome == "warn"
    assert checks["SMART-004"].outcome == "warn"


def with_oauth_uris(**uris: str) -> dict[str, Any]:
    document = statement()
    document["rest"][0]["security"]["extension"] = [
        {
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [{"url": name, "valueUri": uri} for name, uri in uris.items()],
        }
    ]
    return document


@pytest.mark.parametrize(
    ("token", "in_smart", "outcome"),
    [
        ("https://auth.example.org/token", "https://auth.example.org/token", "pass"),
        ("https://auth.example.org/other", "https://auth.example.org/token", "warn"),
        ("https://ehr.example.org/fhir/token", "token", "pass"),
    ],
)
def test_agreement_of_the_two_documents(token: str, in_smart: str, outcome: str) -> None:
    checks = outcomes(metadata=with_oauth_uris(token=token), smart=smart(token_endpoint=in_smart))
    assert checks["SMART-015"].outcome == outcome


def test_nothing_to_compare_is_no_finding() -> None:
    assert outcomes(metadata=statement(), smart=smart())["SMART-015"].outcome == "not_applicable"
    assert outcomes(smart=smart())["SMART-015"].outcome == "not_observed"


@pytest.mark.parametrize(
    ("content_type", "cap", "configuration"),
    [
        ("application/fhir+json; charset=utf-8", "pass", "fail"),
        ("application/json", "pass", "pass"),
        ("application/json+fhir", "warn", "fail"),
        ("text/html", "fail", "fail"),
        ("", "fail", "fail"),
    ],
)
def test_media_types(content_type: str, cap: str, configuration: str) -> None:
    exchanges: dict[Purpose, Exchange] = {
        "metadata": exchange("metadata", statement(), content_type),
        "smart": exchange("smart", smart(), content_type),
    }
    checks = {
        check.id: check.outcome for check in run_checks(CheckInput(BASE, base_facts(exchanges, BASE), exchanges, BASE))
    }
    assert checks["CAP-004"] == cap
    assert checks["SMART-003"] == configuration


def test_charset_parameter() -> None:
    exchanges: dict[Purpose, Exchange] = {
        "metadata": exchange("metadata", statement(), "application/fhir+json; charset=ISO-8859-1")
    }
    checks = {check.id: check for check in run_checks(CheckInput(BASE, base_facts(exchanges, BASE), exchanges, BASE))}
    assert checks["CAP-005"].outcome == "fail"


def sso(**changes: Any) -> dict[str, Any]:
    return smart(
        capabilities=capabilities(add=("sso-openid-connect",)),
        **({"issuer": "https://idp.example.org/a", "jwks_uri": "https://idp.example.org/keys"} | changes),
    )


@pytest.mark.parametrize(
    ("issuer", "outcome"),
    [
        ("https://idp.example.org/a", "pass"),
        ("http://idp.example.org/a", "fail"),
        ("https://idp.example.org/a?tenant=1", "fail"),
        ("https://idp.example.org/a#x", "fail"),
        ("https://idp.example.org/.well-known/openid-configuration", "fail"),
        ("https://[", "fail"),
    ],
)
def test_issuer_form(issuer: str, outcome: str) -> None:
    assert outcomes(smart=sso(issuer=issuer))["OIDC-002"].outcome == outcome


def test_identity_checks_ask_nothing_of_a_server_without_sign_on() -> None:
    checks = outcomes(metadata=statement(), smart=smart())
    assert {check.outcome for check in checks.values() if check.id.startswith(("OIDC", "JWKS"))} == {"not_applicable"}


def test_absent_identity_documents_fail_and_silent_ones_do_not() -> None:
    checks = outcomes(smart=sso(), openid=None, jwks=None)
    assert checks["OIDC-001"].outcome == "fail"
    assert checks["JWKS-001"].outcome == "fail"
    assert checks["OIDC-003"].outcome == "not_observed"
    checks = outcomes(smart=sso(jwks_uri=None))
    assert checks["JWKS-001"].outcome == "not_applicable"


def test_different_keys_are_our_judgement_and_say_so() -> None:
    provider = {"issuer": "https://idp.example.org/a", "jwks_uri": "https://idp.example.org/others"}
    check = outcomes(smart=sso(), openid=provider)["OIDC-006"]
    assert check.outcome == "warn"
    assert "our judgement" in check.message


def test_every_check_has_an_id_a_title_and_a_source() -> None:
    specs = list_checks()
    assert len({spec.id for spec in specs}) == len(specs) >= 60
    assert {spec.family for spec in specs} >= {"NET", "CAP", "SMART", "OIDC", "JWKS", "CORS", "UDAP", "BULK", "CDS"}
    for spec in specs:
        assert spec.id.startswith(f"{spec.family}-")
        assert spec.title
        assert spec.references or spec.level == "judgement", spec.id
        assert all(reference.url.startswith("https://") for reference in spec.references)


def test_a_check_without_source_must_be_marked_as_judgement() -> None:
    with pytest.raises(ValueError, match="judgement"):
        check("NET-998", "A title", list_checks()[0].severity, level="SHALL")
    with pytest.raises(KeyError):
        cite("no such source")


def test_a_mistake_in_one_check_costs_only_that_check(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = list_checks()

    def broken(probed: CheckInput) -> Any:
        raise RuntimeError("oops")

    changed = replace(specs[0], needs=None, run=broken)
    alone = tuple((spec.needs, (spec,)) for spec in (changed, *specs[1:]))
    monkeypatch.setattr(registry, "_together", lambda: alone)
    checks = run_checks(CheckInput(BASE, base_facts({}, BASE), {}))
    assert checks[0].outcome is CheckOutcome.ERROR
    assert "oops" in checks[0].message
    assert not [check for check in checks[1:] if check.outcome is CheckOutcome.ERROR]


def test_ids_may_not_repeat() -> None:
    severity = list_checks()[0].severity
    with pytest.raises(ValueError, match="NET-001"):
        check("NET-001", "Again", severity)(lambda probed: passed(""))


def test_an_id_leads_to_the_file_of_its_family_and_evidence_to_a_document() -> None:
    for spec in list_checks():
        assert spec.run.__module__.split(".")[3] == spec.family.lower(), spec.id
        assert spec.at is None or spec.at[0] in PURPOSES, spec.id


_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["https://[", "\ud800", "http:"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=rounds(30, 80))
@given(st.data())
def test_checks_never_go_wrong_on_mutated_documents(data: st.DataObject) -> None:
    documents: dict[str, Any] = {
        "metadata": with_oauth_uris(token="https://a.example/t"),
        "smart": sso(),
        "openid": {"issuer": "https://idp.example.org/a", "id_token_signing_alg_values_supported": ["RS256"]},
        "jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"}]},
    }
    for document in documents.values():
        mutate(document, data)
    for result in outcomes(**copy.deepcopy(documents)).values():
        assert result.outcome is not CheckOutcome.ERROR, result
        assert result.message and "\n" not in result.message
        result.model_dump_json()


def mutate(document: Any, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(0, 2))):
        at = document
        for _ in range(data.draw(st.integers(0, 5))):
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and data.draw(st.booleans()):
                at = at[key]
                continue
            at[key] = data.draw(_VALUE)
            break
