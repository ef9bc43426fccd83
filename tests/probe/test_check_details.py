"""The further checks, each on something made for it: at least one finding a check, and what it must not find."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from probe_documents import smart, statement
from probe_judging import BASE, answered, documents, failed, judged, read

from interlock.contract.match import match_contract
from interlock.fhir.oauth_uris import EXTENSION_URL
from interlock.model.contract import Launch, Need, WorkflowContract
from interlock.model.facts import Certificate, Facts, TlsFacts
from interlock.model.observation import Check, Observation, Target
from interlock.model.organization import Organization
from interlock.probe.assemble import base_facts
from interlock.probe.checks.base import CheckInput
from interlock.probe.checks.registry import list_checks, run_checks
from interlock.probe.recheck import with_contract
from interlock.probe.transport.exchange import Exchange, Purpose

pytestmark = pytest.mark.fast

RESOURCE: dict[str, Any] = statement()["rest"][0]["resource"][0]
US_CORE = "http://hl7.org/fhir/us/core"


TWICE = [RESOURCE, RESOURCE | {"searchParam": [{"name": "code", "type": "token"}]}]


def resource(**changes: Any) -> dict[str, Any]:
    entry = {name: value for name, value in (RESOURCE | changes).items() if value is not None}
    return statement(rest=[{"mode": "server", "resource": [entry]}])


def oauth_uris(*urls: str) -> dict[str, Any]:
    parts = [{"url": "token", "valueUri": "https://a.example/token"}]
    security = {"extension": [{"url": url, "extension": parts} for url in urls]}
    return statement(rest=[{"mode": "server", "resource": [RESOURCE], "security": security}])


def year(back: float) -> str:
    return (datetime.now(UTC) - timedelta(days=365 * back)).strftime("%Y-%m-%d")


STATEMENTS: list[tuple[str, str, dict[str, Any]]] = [
    ("CAP-014", "fail", statement(rest=[{"resource": [RESOURCE]}])),
    ("CAP-014", "fail", statement(software={"version": "1"})),
    ("CAP-014", "fail", statement(implementation={"url": BASE})),
    ("CAP-014", "fail", resource(interaction=None) | {"fhirVersion": "3.0.2"}),
    ("CAP-014", "pass", resource(interaction=None)),
    ("CAP-015", "not_applicable", statement()),
    ("CAP-015", "warn", resource(searchParam=[{"name": "a"}, {"name": "a"}]) | {"fhirVersion": "5.0.0"}),
    ("CAP-015", "pass", statement(fhirVersion="4.3.0")),
    ("CAP-015", "warn", statement(fhirVersion="4.3.0", rest=[{"mode": "server", "resource": TWICE}])),
    ("CAP-029", "fail", statement(rest=[{"mode": "server", "resource": TWICE}])),
    ("CAP-029", "pass", statement(rest=[{"mode": "server", "resource": [entry]} for entry in TWICE])),
    ("SMART-017", "warn", oauth_uris("http://DSTU2/fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris")),
    ("SMART-017", "pass", oauth_uris(EXTENSION_URL)),
    ("SMART-017", "warn", oauth_uris(EXTENSION_URL, EXTENSION_URL)),
    ("CAP-016", "warn", resource(searchParam=None)),
    ("CAP-016", "not_applicable", resource(interaction=[{"code": "read"}])),
    ("CAP-017", "warn", statement()),
    ("CAP-017", "warn", resource(supportedProfile=[f"{US_CORE}/StructureDefinition/us-core-patient"])),
    ("CAP-017", "pass", resource(supportedProfile=[f"{US_CORE}/StructureDefinition/us-core-patient|6.1.0"])),
    ("CAP-017", "warn", statement(fhirVersion="3.0.2")),
    ("CAP-017", "pass", statement(fhirVersion="3.0.2", profile=[{"reference": "http://example.org/p"}])),
    ("CAP-018", "warn", resource(supportedProfile=[f"{US_CORE}/StructureDefinition/us-core-patient"])),
    ("CAP-018", "pass", statement(instantiates=[f"{US_CORE}/CapabilityStatement/us-core-server|7.0.0"])),
    ("CAP-018", "pass", statement(instantiates=[f"{US_CORE}/CapabilityStatement/us-core-Server"])),
    ("CAP-018", "not_applicable", statement()),
    ("CAP-019", "warn", statement(date=year(3))),
    ("CAP-019", "warn", statement(date=year(-1))),
    ("CAP-019", "warn", statement(date="last spring")),
    ("CAP-019", "warn", statement(date="2026-13-45")),
    ("CAP-019", "pass", statement(date=year(0.5))),
    ("CAP-019", "not_observed", statement(date=None)),
    ("CAP-041", "warn", statement(format=["xml", "application/fhir+xml"])),
    ("CAP-041", "pass", statement(format=["application/json; charset=utf-8"])),
    ("CAP-042", "warn", statement(status="draft")),
    ("CAP-042", "not_applicable", statement(status=None)),
    ("CAP-043", "warn", statement()),
    ("BULK-001", "not_applicable", statement()),
    ("BULK-001", "warn", statement(instantiates=["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"])),
    ("BULK-001", "pass", resource(type="Group", operation=[{"name": "group-export"}])),
    ("BULK-002", "warn", resource(type="Group", operation=[{"name": "group-export"}])),
    (
        "BULK-002",
        "pass",
        resource(operation=[{"name": "x", "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"}]),
    ),
    ("BULK-003", "warn", resource(type="Patient", operation=[{"name": "group-export"}])),
    ("BULK-003", "pass", resource(type="Group", operation=[{"name": "group-export"}])),
    ("BULK-004", "pass", resource(operation=[{"name": "patient-export"}])),
]


@pytest.mark.parametrize(("check_id", "outcome", "document"), STATEMENTS)
def test_statements(check_id: str, outcome: str, document: dict[str, Any]) -> None:
    check = judged(documents(metadata=document, smart=smart()))[check_id]
    assert check.outcome == outcome, check.message


def test_a_strict_reader_is_asked_on_request_only_and_says_where() -> None:
    def strictly(document: dict[str, Any], asked: bool = True) -> Check:
        exchange = read("metadata", 200, "application/fhir+json", json.dumps(document).encode())
        exchanges: dict[Purpose, Exchange] = {"metadata": exchange}
        facts = base_facts(exchanges, BASE)
        return {check.id: check for check in run_checks(CheckInput(BASE, facts, exchanges, strict=asked))}["CAP-047"]

    right = statement(implementation={"description": "A server", "url": BASE})
    assert strictly(right, asked=False).outcome == "not_applicable"
    assert strictly(right).outcome == "pass", strictly(right).message
    wrong = strictly(right | {"experimental": "no"})
    assert wrong.outcome == "warn"
    assert "FHIR's own tables" in wrong.message and "/experimental is a string, not a boolean" in wrong.message
    assert [evidence.pointer for evidence in wrong.evidence] == ["/experimental"]
    assert strictly(right | {"fhirVersion": "9.9"}).outcome == "not_observed"


def sso(**changes: Any) -> dict[str, Any]:
    listed = [*smart()["capabilities"], "sso-openid-connect"]
    return smart(
        capabilities=listed, issuer="https://idp.example.org", jwks_uri="https://idp.example.org/keys", **changes
    )


def capabilities(*dropped: str) -> list[str]:
    return [name for name in smart()["capabilities"] if name not in dropped]


CONFIGURATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("SMART-022", "warn", smart(scopes_supported="launch openid")),
    ("SMART-022", "pass", smart(token_endpoint="/token")),
    ("SMART-023", "warn", smart(introspection_endpoint="http://auth.example.org/introspect")),
    ("SMART-023", "pass", smart(introspection_endpoint="http://localhost/introspect")),
    ("SMART-024", "not_applicable", smart()),
    ("SMART-025", "warn", smart(scopes_supported=["patient/Observation.sr"])),
    ("SMART-025", "warn", smart(scopes_supported=["hospital_admin"])),
    ("SMART-025", "pass", smart(scopes_supported=["launch/patient", "__x", "https://a.example/s", "user/*.write"])),
    ("SMART-025", "not_observed", smart(scopes_supported=None)),
    ("SMART-026", "warn", smart(token_endpoint_auth_signing_alg_values_supported=None)),
    ("SMART-026", "warn", smart(scopes_supported=["patient/*.rs"])),
    (
        "SMART-026",
        "warn",
        smart(token_endpoint_auth_methods_supported=[], capabilities=capabilities("client-confidential-asymmetric")),
    ),
    ("SMART-026", "not_applicable", smart(grant_types_supported=["authorization_code"])),
    ("SMART-026", "pass", smart()),
    ("SMART-027", "warn", smart(capabilities=capabilities("launch-ehr"))),
    ("SMART-027", "pass", smart()),
    ("SMART-028", "not_applicable", smart()),
    ("SMART-028", "pass", sso()),
    ("OIDC-007", "warn", sso()),
    ("OIDC-007", "not_applicable", smart()),
    ("BULK-004", "warn", smart(grant_types_supported=["authorization_code"])),
    ("BULK-004", "not_observed", smart(grant_types_supported=None)),
]


@pytest.mark.parametrize(("check_id", "outcome", "document"), CONFIGURATIONS)
def test_configurations(check_id: str, outcome: str, document: dict[str, Any]) -> None:
    exports = resource(operation=[{"name": "patient-export"}])
    check = judged(documents(metadata=exports, smart=document))[check_id]
    assert check.outcome == outcome, check.message


def test_a_copy_at_the_root_that_says_something_else() -> None:
    other = smart(token_endpoint="https://other.example.org/token")
    assert judged(documents(smart=smart(), smart_root=other))["SMART-028"].outcome == "warn"


def test_an_advertised_address_that_was_not_contacted() -> None:
    exchanges = documents(metadata=statement(), smart=sso())
    exchanges["jwks"] = failed("jwks", "refused", "not followed: it is an address of a private network")
    checks = judged(exchanges)
    assert checks["SMART-024"].outcome == "warn"
    assert checks["JWKS-001"].outcome == "not_observed"


PROVIDER = {
    "issuer": "https://idp.example.org",
    "authorization_endpoint": "https://auth.example.org/authorize",
    "token_endpoint": "https://auth.example.org/token",
}


@pytest.mark.parametrize(
    ("check_id", "outcome", "provider"),
    [
        ("OIDC-008", "pass", PROVIDER),
        ("OIDC-008", "warn", PROVIDER | {"token_endpoint": "https://idp.example.org/token"}),
        ("OIDC-009", "not_applicable", PROVIDER),
        ("OIDC-009", "pass", PROVIDER | {"authorization_response_iss_parameter_supported": True}),
    ],
)
def test_discovery(check_id: str, outcome: str, provider: dict[str, Any]) -> None:
    assert judged(documents(smart=sso(), openid=provider))[check_id].outcome == outcome


MODULUS = "w" + "A" * 341 + "E"
RSA_KEY = {"kty": "RSA", "n": MODULUS, "e": "AQAB", "kid": "a"}


@pytest.mark.parametrize(
    ("check_id", "outcome", "keys"),
    [
        ("JWKS-005", "fail", [RSA_KEY | {"alg": "ES384"}]),
        ("JWKS-005", "pass", [RSA_KEY | {"alg": "RS384"}, {"kty": "EC", "alg": "ECDH-ES"}, {"kty": 7, "alg": "x"}]),
        ("JWKS-006", "fail", [RSA_KEY | {"use": "enc"}, RSA_KEY]),
        ("JWKS-006", "warn", [RSA_KEY | {"use": "enc"}]),
        ("JWKS-006", "pass", [RSA_KEY]),
        ("JWKS-007", "fail", [{"kty": "EC", "crv": "P-256", "x": "a", "y": "b"}]),
        ("JWKS-007", "pass", [RSA_KEY]),
    ],
)
def test_keys(check_id: str, outcome: str, keys: list[dict[str, Any]]) -> None:
    assert judged(documents(smart=sso(), jwks={"keys": keys}))[check_id].outcome == outcome


@pytest.mark.parametrize(
    ("configuration", "keys", "outcome"),
    [
        (smart(jwks_uri="https://idp.example.org/keys"), {"keys": []}, "warn"),
        (sso(), {"keys": []}, "fail"),
        (smart(jwks_uri="https://idp.example.org/keys"), {"keys": "none"}, "fail"),
    ],
)
def test_an_empty_key_set_matters_to_servers_with_sign_on(
    configuration: dict[str, Any], keys: dict[str, Any], outcome: str
) -> None:
    assert judged(documents(smart=configuration, jwks=keys))["JWKS-001"].outcome == outcome
    assert judged(documents(smart=smart(), jwks={"keys": keys}))["JWKS-007"].outcome == "not_applicable"


UDAP: dict[str, Any] = {
    "udap_versions_supported": ["1"],
    "udap_profiles_supported": ["udap_dcr", "udap_authn", "udap_authz"],
    "udap_authorization_extensions_supported": [],
    "udap_certifications_supported": [],
    "grant_types_supported": ["client_credentials"],
    "token_endpoint": "https://auth.example.org/udap/token",
    "registration_endpoint": "https://auth.example.org/register",
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
    "scopes_supported": ["system/*.rs"],
    "registration_endpoint_jwt_signing_alg_values_supported": ["RS256"],
}


@pytest.mark.parametrize(
    ("check_id", "outcome", "changes"),
    [
        ("UDAP-001", "pass", {}),
        ("UDAP-002", "pass", {}),
        ("UDAP-002", "fail", {"udap_versions_supported": [1]}),
        ("UDAP-002", "fail", {"udap_profiles_supported": ["udap_dcr", "udap_authn"]}),
        ("UDAP-003", "pass", {}),
        ("UDAP-003", "fail", {"udap_certifications_supported": None}),
        ("UDAP-003", "fail", {"udap_authorization_extensions_supported": ["hl7-b2b"]}),
        ("UDAP-003", "fail", {"udap_authorization_extensions_required": ["hl7-b2b"]}),
        ("UDAP-004", "pass", {}),
        ("UDAP-004", "fail", {"registration_endpoint": None}),
        ("UDAP-004", "fail", {"token_endpoint": "/token"}),
        ("UDAP-004", "fail", {"grant_types_supported": ["authorization_code"]}),
        ("UDAP-004", "fail", {"grant_types_supported": ["refresh_token"]}),
        ("UDAP-004", "fail", {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}),
        ("UDAP-005", "pass", {}),
        ("UDAP-005", "warn", {"scopes_supported": None}),
        ("UDAP-006", "fail", {}),
        ("UDAP-006", "fail", {"signed_metadata": "no.jwt.here"}),
        ("UDAP-007", "warn", {}),
        ("UDAP-007", "pass", {"token_endpoint": "https://auth.example.org/token"}),
    ],
)
def test_udap(check_id: str, outcome: str, changes: dict[str, Any]) -> None:
    document = {name: value for name, value in (UDAP | changes).items() if value is not None}
    check = judged(documents(smart=smart(), udap=document))[check_id]
    assert check.outcome == outcome, check.message


def test_a_server_without_udap_conforms_with_404() -> None:
    checks = judged(documents(smart=smart(), udap=None))
    assert {check.outcome for name, check in checks.items() if name.startswith("UDAP")} == {"not_applicable"}
    vague = judged({"udap": read("udap", 200, "text/html", b"<html>sign in")})
    assert vague["UDAP-001"].outcome == "warn"
    unasked = judged(documents(smart=smart()))
    assert {check.outcome for name, check in unasked.items() if name.startswith("UDAP")} == {"not_observed"}


SERVICE = {"hook": "patient-view", "id": "sepsis", "description": "Sepsis risk"}


@pytest.mark.parametrize(
    ("check_id", "outcome", "document"),
    [
        ("CDS-001", "pass", {"services": [SERVICE]}),
        ("CDS-001", "fail", None),
        ("CDS-002", "pass", {"services": [SERVICE, SERVICE | {"hook": "order-sign"}]}),
        ("CDS-002", "warn", {"services": []}),
        ("CDS-002", "fail", {"services": "none"}),
        ("CDS-002", "fail", {"services": [{"hook": "patient-view", "id": "sepsis"}]}),
        ("CDS-003", "pass", {"services": []}),
        ("CDS-004", "pass", {"services": [SERVICE]}),
        ("CDS-004", "pass", {"services": []}),
        ("CDS-004", "fail", {"services": [SERVICE | {"title": ""}]}),
        ("CDS-004", "fail", {"services": [SERVICE | {"prefetch": {"a/b": None}}]}),
    ],
)
def test_cds_hooks(check_id: str, outcome: str, document: dict[str, Any] | None) -> None:
    check = judged(documents(cds=document))[check_id]
    assert check.outcome == outcome, check.message


def test_cds_service_over_http_and_no_service_at_all() -> None:
    plain = answered("cds", {"services": [SERVICE]}, url="http://product.example.org/cds-services")
    assert judged({"cds": plain})["CDS-003"].outcome == "fail"
    none = judged(documents(metadata=statement()))
    assert {check.outcome for name, check in none.items() if name.startswith("CDS")} == {"not_applicable"}


ORIGIN = "https://app.example.org"
ALLOW = {"access-control-allow-origin": ORIGIN, "access-control-allow-headers": "Authorization, Accept"}


def cross(purpose: Purpose, headers: dict[str, str], status: int = 200) -> Exchange:
    exchange = answered(purpose, {"resourceType": "CapabilityStatement"}, headers=headers, status=status)
    return exchange


@pytest.mark.parametrize(
    ("check_id", "purpose", "headers", "outcome"),
    [
        ("CORS-001", "cors-smart", {"access-control-allow-origin": "*"}, "pass"),
        ("CORS-001", "cors-smart", {}, "fail"),
        ("CORS-001", "cors-smart", {"access-control-allow-origin": "https://other.example"}, "fail"),
        ("CORS-002", "cors-metadata", ALLOW, "pass"),
        ("CORS-002", "cors-metadata", {}, "fail"),
        ("CORS-003", "cors-token", ALLOW, "pass"),
        ("CORS-003", "cors-token", {}, "warn"),
        ("CORS-004", "cors-fhir", ALLOW, "pass"),
        ("CORS-004", "cors-fhir", {"access-control-allow-origin": ORIGIN}, "warn"),
        ("CORS-005", "cors-authorize", {}, "pass"),
        ("CORS-005", "cors-authorize", ALLOW, "fail"),
        ("CORS-006", "cors-metadata", {}, "warn"),
        ("CORS-006", "cors-metadata", ALLOW, "pass"),
    ],
)
def test_cors(check_id: str, purpose: Purpose, headers: dict[str, str], outcome: str) -> None:
    exchanges = {**documents(metadata=statement(), smart=smart()), purpose: cross(purpose, headers)}
    check = judged(exchanges, origin=ORIGIN, active=True)[check_id]
    assert check.outcome == outcome, check.message


def test_cors_is_asked_of_products_with_a_browser_client_only() -> None:
    without = judged(documents(metadata=statement(), smart=smart()))
    assert {check.outcome for name, check in without.items() if name.startswith("CORS")} == {"not_applicable"}
    passive = judged(documents(metadata=statement(), smart=smart()), origin=ORIGIN)
    assert passive["CORS-003"].outcome == "not_observed"
    assert "--active" in passive["CORS-003"].message


def leaf(**changes: Any) -> Certificate:
    fields: dict[str, Any] = {
        "subject": "ehr.example.org",
        "issuer": "CA",
        "names": ("ehr.example.org",),
        "not_before": "2026-01-01T00:00:00+00:00",
        "not_after": "2027-01-01T00:00:00+00:00",
        "days_left": 90,
        "self_signed": False,
        "key": "RSA 2048",
        "key_bits": 2048,
        "signature": "sha256",
    }
    return Certificate.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("number", "outcome", "tls"),
    [
        (9, "fail", TlsFacts(verified=False, error="not_tls")),
        (9, "warn", TlsFacts(verified=False, error="client_certificate", message="a certificate is demanded")),
        (10, "warn", TlsFacts(verified=False, error="not_yet_valid", chain=(leaf(),))),
        (11, "pass", TlsFacts(verified=False, error="other", chain=(leaf(names=("*.example.org",)),))),
        (11, "fail", TlsFacts(verified=False, error="other", chain=(leaf(names=("*.org",)),))),
        (11, "fail", TlsFacts(verified=False, error="other", chain=(leaf(names=()),))),
        (11, "not_observed", TlsFacts(verified=False, error="other", chain=(leaf(names=("a.example",) * 10),))),
        (13, "warn", TlsFacts(verified=False, error="untrusted_issuer", chain=(leaf(), leaf(subject="Other")))),
        (14, "fail", TlsFacts(verified=True, chain=(leaf(key="EC secp192r1", key_bits=192),))),
        (14, "pass", TlsFacts(verified=True, chain=(leaf(key="Ed25519", key_bits=None),))),
        (15, "fail", TlsFacts(verified=True, chain=(leaf(signature="sha1"),))),
        (
            15,
            "pass",
            TlsFacts(
                verified=True,
                chain=(leaf(), leaf(subject="CA", signature="sha1", self_signed=True, authority=True)),
            ),
        ),
        (17, "fail", TlsFacts(verified=None, versions={"TLSv1": "offered", "TLSv1.2": "refused"})),
        (17, "not_observed", TlsFacts(verified=None, versions={"TLSv1.2": "cannot_tell"})),
        (18, "not_observed", TlsFacts(verified=None, versions={"TLSv1.3": "cannot_tell"})),
    ],
)
def test_tls(number: int, outcome: str, tls: TlsFacts) -> None:
    check = judged(documents(metadata=statement(), smart=smart()), tls=tls)[f"NET-{number:03d}"]
    assert check.outcome == outcome, check.message


@pytest.mark.parametrize(
    ("days_left", "said"),
    [
        (-10, "9 days ago"),  # 9 days and some hours
        (-2, "1 day ago"),
        (-1, "less than a day ago"),
        (0, "expires in less than a day"),
        (1, "expires in 1 day,"),
        (9, "expires in 9 days,"),
    ],
)
def test_days_of_a_certificate_are_counted_as_people_do(days_left: int, said: str) -> None:
    tls = TlsFacts(verified=days_left >= 0, chain=(leaf(days_left=days_left),))
    assert said in judged(documents(metadata=statement()), tls=tls)["NET-010"].message


@pytest.mark.parametrize(
    ("days_left", "days_valid", "outcome"),
    [
        (29, 398, "warn"),
        (30, 398, "pass"),
        (20, 47, "pass"),  # with automatic renewal most of such a certificate's life has fewer than 30 days left
        (15, 47, "warn"),
        (29, None, "warn"),  # observed before its life was recorded
        (1000, 3650, "pass"),
    ],
)
def test_a_certificate_is_due_by_the_share_of_its_life_that_is_left(
    days_left: int, days_valid: int | None, outcome: str
) -> None:
    tls = TlsFacts(verified=True, chain=(leaf(days_left=days_left, days_valid=days_valid),))
    assert judged(documents(metadata=statement()), tls=tls)["NET-010"].outcome == outcome


@pytest.mark.parametrize(
    ("error", "handshake"),
    [("version", "warn"), ("not_tls", "fail"), ("client_certificate", "warn"), ("other", "warn")],
)
def test_a_handshake_that_ended_early_judges_no_certificate(error: str, handshake: str) -> None:
    tls = TlsFacts(verified=False, error=error, message="localhost and this machine share no TLS version")
    checks = judged({"metadata": failed("metadata", "tls", "no")}, tls=tls)
    assert checks["NET-003"].outcome == "not_observed"
    assert checks["NET-009"].outcome == handshake
    assert checks["NET-009"].message.startswith("The ")
    assert "Localhost" not in checks["NET-003"].message + checks["NET-009"].message


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("localhost gave no answer", "localhost gave no answer"),
        ("ehr.example.org gave no answer", "ehr.example.org gave no answer"),
        ("::1 gave no answer", "::1 gave no answer"),
        ("no answer came", "No answer came"),
    ],
)
def test_a_hosts_name_keeps_its_writing_at_the_beginning(detail: str, said: str) -> None:
    assert judged({"metadata": failed("metadata", "timeout", detail)})["NET-022"].message.startswith(said)


@pytest.mark.parametrize(
    ("profiles", "said"),
    [
        (["http://a.example/p"], "1 profile is declared without a version; which edition it is of has"),
        (["http://a.example/p|1"], "1 profile is declared with its version"),
        (["http://a.example/p", "http://a.example/q"], "2 profiles are declared, all without a version"),
        (
            ["http://a.example/p|1", "http://a.example/q"],
            "2 profiles are declared, 1 without a version; which edition it is of has",
        ),
        (["http://a.example/p|1", "http://a.example/q|1"], "2 profiles are declared with their versions"),
    ],
)
def test_profiles_are_counted_in_words_that_fit(profiles: list[str], said: str) -> None:
    document = resource(supportedProfile=profiles)
    assert judged(documents(metadata=document))["CAP-017"].message.startswith(said)


def test_manners() -> None:
    blocked = judged({"metadata": read("metadata", 403, "text/html", b"<html>Request blocked")})
    assert blocked["NET-024"].outcome == "warn"
    assert "an HTML page instead of FHIR" in blocked["NET-024"].message
    challenged = read("metadata", 403, "text/html", b"<html>", headers={"www-authenticate": "Bearer"})
    assert judged({"metadata": challenged})["NET-024"].outcome == "pass"
    silent = judged({"metadata": read("metadata", 429, "text/plain", b"slow down")})
    assert silent["NET-021"].outcome == "warn"
    rejected = judged({"metadata": read("metadata", 400, "text/plain", b"what?")})
    assert rejected["NET-020"].outcome == "warn"
    elsewhere = answered("metadata", statement(), url="https://other.example.org/fhir/metadata")
    assert judged({"metadata": elsewhere})["NET-019"].outcome == "warn"
    late = judged({"metadata": failed("metadata", "timeout", "no answer within 20 s")})
    assert late["NET-022"].outcome == "warn"
    large = answered("metadata", statement(), bytes=2_000_000)
    assert judged({"metadata": large})["NET-023"].outcome == "warn"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"<!doctype html><title>Sign in</title>"),
        ("application/json", b"{}"),
        ("application/json", b'{"resourceType": "Bundle"}'),
        ("application/json", b'{"resourceType": "OperationOutcome"}'),
        ("application/json", b"[]"),
    ],
)
def test_something_else_under_200(content_type: str, body: bytes) -> None:
    checks = judged(
        {
            "metadata": read("metadata", 200, content_type, body),
            "smart": read("smart", 200, content_type, body),
        }
    )
    assert (checks["CAP-044"].outcome, checks["SMART-021"].outcome) == ("warn", "warn")
    assert checks["CAP-001"].outcome == "not_observed"


def test_a_base_one_segment_deeper_and_two_back_ends() -> None:
    deeper = answered("deeper", statement(), url=f"{BASE}/r4/metadata")
    checks = judged({"metadata": answered("metadata", None), "deeper": deeper})
    assert checks["CAP-046"].outcome == "fail"
    assert f"{BASE}/r4:" in checks["CAP-046"].message
    again = judged(documents(metadata=statement(), cors_metadata=statement(software={"name": "Other"})))
    assert again["CAP-045"].outcome == "warn"
    assert judged(documents(metadata=statement(), cors_metadata=statement()))["CAP-045"].outcome == "pass"


CONTRACT = WorkflowContract(
    version="1",
    title="Sample",
    launch=Launch(
        modes=("ehr", "standalone", "backend"),
        context=("patient", "encounter"),
        client="confidential-asymmetric",
        browser=True,
    ),
    inputs=(
        Need(
            resource="Patient",
            interactions=("read", "search"),
            search_parameters=("name",),
            profile=f"{US_CORE}/StructureDefinition/us-core-patient",
            operations=("$everything",),
        ),
    ),
)
ORG = Organization(id="st-mary", name="St Mary", fhir_base_url=BASE)


def compared(contract: WorkflowContract, metadata: Any = None, configuration: Any = None) -> dict[str, Check]:
    exchanges = documents(metadata=metadata or statement(), smart=configuration or smart())
    facts = base_facts(exchanges, BASE)
    observation = Observation(
        target=Target(base_url=BASE, org=ORG.id),
        started=datetime.now(UTC),
        elapsed_ms=1,
        outcome="observed",
        facts=facts,
        checks=tuple(judged(exchanges).values()),
        requests=tuple(exchange.record for exchange in exchanges.values()),
    )
    fit = match_contract(contract, ORG, observation)
    return {check.id: check for check in with_contract(observation, contract, fit).checks}


def changed(**changes: Any) -> WorkflowContract:
    return CONTRACT.model_copy(update=changes)


def need(**changes: Any) -> WorkflowContract:
    return changed(inputs=(Need.model_validate({"resource": "Patient"} | changes),))


@pytest.mark.parametrize(
    ("check_id", "outcome", "contract"),
    [
        ("CAP-050", "pass", CONTRACT),
        ("CAP-050", "fail", changed(fhir_release="STU3")),
        ("CAP-051", "pass", CONTRACT),
        ("CAP-051", "fail", need(resource="Flag")),
        ("CAP-051", "warn", need(resource="Flag", optional=True)),
        ("CAP-052", "pass", CONTRACT),
        ("CAP-052", "fail", need(interactions=("create",))),
        ("CAP-053", "pass", CONTRACT),
        ("CAP-053", "fail", need(search_parameters=("birthdate",))),
        ("CAP-053", "not_applicable", need(interactions=("read",))),
        ("CAP-054", "warn", CONTRACT),
        ("CAP-055", "warn", CONTRACT),
        ("SMART-050", "pass", CONTRACT),
        ("SMART-051", "pass", CONTRACT),
        ("SMART-051", "not_applicable", changed(launch=Launch(modes=("ehr",)))),
        ("SMART-052", "pass", CONTRACT),
        ("SMART-053", "fail", CONTRACT),
        ("SMART-053", "pass", changed(launch=Launch(modes=("ehr",), context=("patient", "encounter")))),
        ("SMART-054", "pass", CONTRACT),
        ("SMART-054", "fail", changed(launch=Launch(client="confidential-symmetric"))),
        ("SMART-054", "not_applicable", changed(launch=Launch())),
        ("SMART-055", "warn", CONTRACT),
        ("SMART-055", "not_applicable", changed(launch=Launch(), inputs=())),
        ("SMART-056", "pass", CONTRACT),
        ("SMART-056", "not_applicable", changed(launch=Launch())),
    ],
)
def test_against_the_contract(check_id: str, outcome: str, contract: WorkflowContract) -> None:
    check = compared(contract)[check_id]
    assert check.outcome == outcome, check.message


@pytest.mark.parametrize(
    ("check_id", "outcome", "configuration"),
    [
        ("SMART-050", "fail", smart(capabilities=capabilities("launch-ehr"))),
        ("SMART-050", "not_observed", smart(capabilities=None)),
        ("SMART-051", "fail", smart(capabilities=capabilities("launch-standalone"))),
        ("SMART-052", "fail", smart(grant_types_supported=["authorization_code"])),
        ("SMART-052", "not_observed", smart(grant_types_supported=None)),
        ("SMART-052", "not_observed", smart(scopes_supported=["launch", "patient/*.rs"])),
        ("SMART-052", "pass", smart(scopes_supported=["launch", "openid"])),
        ("SMART-055", "not_observed", smart(scopes_supported=None)),
        ("SMART-056", "fail", smart(capabilities=capabilities("client-public"))),
        ("SMART-056", "not_observed", smart(code_challenge_methods_supported=None)),
        ("SMART-056", "fail", smart(code_challenge_methods_supported=["plain"])),
    ],
)
def test_the_contract_against_configurations(check_id: str, outcome: str, configuration: dict[str, Any]) -> None:
    check = compared(CONTRACT, configuration=configuration)[check_id]
    assert check.outcome == outcome, check.message


def test_without_a_contract_nothing_is_compared_and_nothing_else_changes() -> None:
    exchanges = documents(metadata=statement(), smart=smart())
    alone, together = judged(exchanges), compared(CONTRACT)
    needs = {spec.id for spec in list_checks() if spec.needs == "contract"}
    assert {alone[name].outcome for name in needs} == {"not_applicable"}
    assert {name: check for name, check in alone.items() if name not in needs} == {
        name: check for name, check in together.items() if name not in needs
    }


def test_facts_that_were_not_observed_stay_none() -> None:
    facts = base_facts({}, BASE)
    assert facts == Facts(security=facts.security)
    assert facts.security is not None and facts.security.open_discovery is None


def test_a_stored_observation_is_judged_at_the_time_of_its_probe() -> None:
    exchanges = documents(metadata=statement(date="2024-01-01"), smart=smart())
    facts = base_facts(exchanges, BASE)
    then, later = (
        {check.id: check.outcome for check in run_checks(CheckInput(BASE, facts, exchanges, now=moment))}["CAP-019"]
        for moment in (datetime(2024, 6, 1, tzinfo=UTC), datetime(2029, 6, 1, tzinfo=UTC))
    )
    assert (then, later) == ("pass", "warn")
