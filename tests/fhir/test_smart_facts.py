"""SMART configurations, OpenID metadata and key sets as facts."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from interlock.fhir import capability, jwks, openid, smart
from interlock.model.facts import SmartFacts

pytestmark = pytest.mark.fast

BASE = "https://ehr.example/fhir"

CLINICIAN_EHR = [
    "launch-ehr",
    "context-ehr-patient",
    "context-ehr-encounter",
    "permission-user",
    "permission-patient",
]


def parsed(**fields: Any) -> SmartFacts:
    return smart.parse(fields, BASE)


@pytest.mark.parametrize(
    ("capabilities", "sets"),
    [
        ([*CLINICIAN_EHR, "client-public"], ("patient-access-ehr", "clinician-access-ehr")),
        ([*CLINICIAN_EHR, "client-confidential-symmetric"], ("patient-access-ehr", "clinician-access-ehr")),
        ([*CLINICIAN_EHR, "client-confidential-asymmetric"], ()),
        ([*CLINICIAN_EHR], ()),
        ([*CLINICIAN_EHR[:-1], "client-public"], ()),
        (
            ["launch-standalone", "context-standalone-patient", "permission-patient", "client-public"],
            ("patient-access-standalone",),
        ),
        (
            ["launch-standalone", "permission-user", "permission-patient", "client-public"],
            ("clinician-access-standalone",),
        ),
        ([], ()),
    ],
)
def test_capability_sets(capabilities: list[str], sets: tuple[str, ...]) -> None:
    assert parsed(capabilities=capabilities).capability_sets == sets


@pytest.mark.parametrize(
    ("fields", "modes"),
    [
        ({"capabilities": ["launch-ehr", "launch-standalone"]}, ("ehr", "standalone")),
        (
            {"grant_types_supported": ["client_credentials"], "capabilities": ["client-confidential-asymmetric"]},
            ("backend",),
        ),
        (
            {
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            },
            ("backend",),
        ),
        ({"grant_types_supported": ["client_credentials"], "capabilities": ["client-public"]}, ()),
        ({"capabilities": ["client-confidential-asymmetric"]}, ()),
        ({}, ()),
    ],
)
def test_launch_modes(fields: dict[str, Any], modes: tuple[str, ...]) -> None:
    assert parsed(**fields).launch_modes == modes


@pytest.mark.parametrize(
    ("methods", "s256"), [(["S256"], True), (["S256", "plain"], True), (["plain"], False), ([], False), (None, None)]
)
def test_pkce_undeclared_is_not_absent(methods: list[str] | None, s256: bool | None) -> None:
    fields = {} if methods is None else {"code_challenge_methods_supported": methods}
    assert parsed(**fields).pkce_s256 is s256


@pytest.mark.parametrize(
    ("scopes", "v1", "v2"),
    [
        (["patient/*.read"], True, False),
        (["system/*.read"], True, False),
        (["patient/Observation.rs"], False, True),
        (["user/*.cruds", "patient/Patient.write"], True, True),
        (["launch/patient", "launch", "openid", "fhirUser", "offline_access"], False, False),
        (["epic.scanning.dmsusername", "iops/USCoreR4.read", "https://vendor.example/scope"], False, False),
        ([], False, False),
        (None, None, None),
    ],
)
def test_scope_versions(scopes: list[str] | None, v1: bool | None, v2: bool | None) -> None:
    facts = parsed(**({} if scopes is None else {"scopes_supported": scopes}))
    assert (facts.scopes_v1, facts.scopes_v2) == (v1, v2)


def test_client_types() -> None:
    facts = parsed(capabilities=["client-confidential-asymmetric", "client-public"])
    assert facts.client_types == ("public", "confidential-asymmetric")


def test_fields_stay_as_published_and_problems_name_the_rest() -> None:
    facts = parsed(
        token_endpoint="/oauth2/token",
        issuer=7,
        capabilities="launch-ehr",
        grant_types_supported=["client_credentials", 5, "client_credentials"],
        revocation_endpoint="https://x/" + "y" * 5000,
    )
    assert facts.token_endpoint == "/oauth2/token"
    assert facts.issuer is None and facts.capabilities is None and facts.revocation_endpoint is None
    assert facts.grant_types_supported == ("client_credentials",)
    said = " ".join(facts.problems)
    for words in ("token_endpoint is not absolute", "issuer is a number", "capabilities is a string", "holds a number"):
        assert words in said


def test_spelling_of_1_0_0_is_read() -> None:
    facts = parsed(token_endpoint_auth_methods=["client_secret_basic"])
    assert facts.token_endpoint_auth_methods_supported == ("client_secret_basic",)


def test_many_scopes_are_kept_and_endless_ones_cut() -> None:
    assert len(parsed(scopes_supported=[f"patient/T.r?x={n}" for n in range(2000)]).scopes_supported or ()) == 2000
    facts = parsed(scopes_supported=[f"s{n}" for n in range(20_000)])
    assert len(facts.scopes_supported or ()) == 5000
    assert facts.limits == ("scopes_supported has 20,000 entries, of which the first 5,000 were read",)
    assert facts.problems == ()


def test_fallback_knows_endpoints_only() -> None:
    extension = {
        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
        "extension": [{"url": "token", "valueUri": "https://a/t"}, {"url": "manage", "valueUri": "https://a/m"}],
    }
    rest = [{"mode": "server", "security": {"extension": [extension]}}]
    facts = smart.from_oauth_uris(capability.parse({"resourceType": "CapabilityStatement", "rest": rest}))
    assert facts is not None
    assert (facts.source, facts.token_endpoint, facts.management_endpoint) == (
        "oauth-uris",
        "https://a/t",
        "https://a/m",
    )
    assert facts.capabilities is None and facts.pkce_s256 is None and facts.scopes_v2 is None
    assert facts.problems
    assert smart.from_oauth_uris(capability.parse({"resourceType": "CapabilityStatement"})) is None


def test_openid_metadata() -> None:
    facts = openid.parse(
        {
            "issuer": "https://idp",
            "jwks_uri": "https://idp/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": "public",
        }
    )
    assert (facts.issuer, facts.jwks_uri) == ("https://idp", "https://idp/keys")
    assert facts.id_token_signing_alg_values_supported == ("RS256",)
    assert facts.subject_types_supported is None
    assert facts.problems == ("subject_types_supported is a string, not a list",)
    assert openid.parse([1]).problems == ("the document is a list, not an object",)


def public(key: Any, **members: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **members}


RSA = RSAKey.generate_key(2048)
SMALL_RSA = {"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\x80" + b"\x01" * 127).decode()}


@pytest.mark.parametrize(
    "key",
    [
        RSA,
        ECKey.generate_key("P-256"),
        ECKey.generate_key("P-384"),
        ECKey.generate_key("P-521"),
        OKPKey.generate_key("Ed25519"),
    ],
)
def test_real_keys_are_usable(key: Any) -> None:
    facts = jwks.parse({"keys": [public(key, kid="a", alg="X")]})
    assert facts.valid
    assert facts.kids == ("a",) and facts.algorithms == ("X",)
    assert not facts.private_members and facts.problems == ()


@pytest.mark.parametrize("key", [RSA, ECKey.generate_key("P-384"), OKPKey.generate_key("Ed25519")])
def test_private_members_void_the_set_and_never_show(key: Any) -> None:
    private = key.as_dict(private=True)
    facts = jwks.parse({"keys": [private, public(RSA)]})
    assert facts.private_members and not facts.valid
    assert "private members: d" in facts.problems[0]
    assert private["d"] not in facts.model_dump_json()


def test_symmetric_keys_are_private() -> None:
    facts = jwks.parse({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})
    assert facts.private_members and not facts.valid


def ec(**changes: Any) -> dict[str, Any]:
    return public(ECKey.generate_key("P-256")) | changes


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (SMALL_RSA, "1024 bits"),
        ({"kty": "RSA", "e": "AQAB"}, "not base64url"),
        ({"kty": "RSA", "e": "AQAB", "n": "not/base64url+"}, "not base64url"),
        ({"kty": "RSA", "e": "AQAB", "n": "x" * 9000}, "not base64url"),
        (public(RSA) | {"e": "AA"}, "no RSA value"),
        (ec(x="AAAA"), "not 32 octets"),
        (ec(y=ec()["y"]), "not on its curve"),
        (ec(crv="secp256k1"), "curve “secp256k1” is unknown"),
        (ec(crv=["P-256"]), "is unknown"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AA"}, "do not fit"),
        ({"kty": "PQC"}, "kty “PQC” is unknown"),
        ({"kid": "a"}, "no kty"),
        ({"kty": 5}, "its kty is a number, not a string"),
        ({"kty": None}, "no kty"),
        ({"kty": " "}, "its kty is empty"),
        ({"kty": "R" * 5_000}, "its kty has 5,000 characters"),
    ],
)
def test_unusable_keys_say_why_and_do_not_void_the_others(key: dict[str, Any], why: str) -> None:
    assert not jwks.parse({"keys": [key]}).valid
    facts = jwks.parse({"keys": [key, public(RSA)]})
    assert facts.valid
    assert any(why in problem for problem in facts.problems), facts.problems


def test_key_ids_and_sizes() -> None:
    facts = jwks.parse({"keys": [public(RSA, kid="a"), public(RSA, kid="a"), SMALL_RSA]})
    assert any("more than once" in problem for problem in facts.problems)
    assert facts.smallest_rsa_bits == 1024
    assert facts.keys == 3 and facts.kids == ("a",)
    # The same kid with another kty is tolerated (RFC 7517 section 4.5).
    assert not jwks.parse({"keys": [public(RSA, kid="a"), ec(kid="a")]}).problems


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": []}, "x", 5])
def test_what_is_no_key_set(document: object) -> None:
    assert not jwks.parse(document).valid
