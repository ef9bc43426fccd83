"""The shipped documents themselves: valid where they claim to be, and different in the ways the story needs."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import KeySet

from interlock.sandbox.organizations import SimulatedOrganization, load_organizations
from interlock.sandbox.signing import SigningKeys

pytestmark = pytest.mark.fast

ORGANIZATIONS = {entry.id: entry for entry in load_organizations()}
R4 = [entry for entry in ORGANIZATIONS.values() if entry.release == "R4" and entry.listen]
LISTENING = [entry for entry in ORGANIZATIONS.values() if entry.listen]


def name_of(organization: SimulatedOrganization) -> str:
    return organization.id


def metadata_of(name: str) -> dict[str, Any]:
    metadata = ORGANIZATIONS[name].metadata
    assert metadata is not None
    return metadata


def smart_of(name: str) -> dict[str, Any]:
    smart = ORGANIZATIONS[name].smart
    assert smart is not None
    return smart


def interactions(name: str) -> dict[str, set[str]]:
    (rest,) = metadata_of(name)["rest"]
    return {entry["type"]: {item["code"] for item in entry["interaction"]} for entry in rest["resource"]}


@pytest.mark.parametrize("organization", R4, ids=name_of)
def test_r4_statements_have_the_required_elements_and_hold_the_invariants(organization: SimulatedOrganization) -> None:
    document = organization.metadata
    assert document is not None
    assert document["resourceType"] == "CapabilityStatement"
    assert document["status"] in ("draft", "active", "retired", "unknown")  # CS-01
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}(T[\d:]+Z)?", document["date"])  # CS-02
    assert document["kind"] in ("instance", "capability", "requirements")  # CS-03
    assert document["fhirVersion"] == "4.0.1"  # CS-04
    assert document["format"]  # CS-05
    assert re.fullmatch(r"[A-Z]([A-Za-z0-9_]){0,254}", document["name"])  # cpb-0
    assert document["rest"]  # cpb-1
    assert document["description"] or document["software"] or document["implementation"]  # cpb-2
    assert "messaging" not in document and "document" not in document  # cpb-3, cpb-7
    assert document["kind"] != "instance" or document["implementation"]["description"]  # cpb-14, CS-09
    assert document["software"]["name"]  # CS-08
    assert document["implementation"]["url"] == "{base}"
    for rest in document["rest"]:
        assert rest["mode"] == "server"  # CS-07
        types = [entry["type"] for entry in rest["resource"]]
        assert len(set(types)) == len(types)  # cpb-9
        for entry in rest["resource"]:
            names = [parameter["name"] for parameter in entry.get("searchParam", [])]
            assert len(set(names)) == len(names)  # cpb-12
            assert all(parameter["type"] for parameter in entry.get("searchParam", []))  # CS-12
            known = {"create", "read", "vread", "update", "delete", "history-instance", "search-type"}
            assert {item["code"] for item in entry["interaction"]} <= known


@pytest.mark.parametrize("organization", LISTENING, ids=name_of)
def test_documents_validate_as_resources_of_their_release(organization: SimulatedOrganization) -> None:
    package = {"R4": "R4B", "STU3": "STU3"}[organization.release]
    pytest.importorskip(f"fhir.resources.{package}.capabilitystatement")
    assert organization.metadata is not None
    for document in (organization.metadata, *organization.resources):
        kind = document["resourceType"]
        module = importlib.import_module(f"fhir.resources.{package}.{kind.lower()}")
        getattr(module, kind).model_validate(document)


def test_the_stu3_statement_has_stu3_shapes() -> None:
    document = metadata_of("pinecrest")
    assert document["fhirVersion"].startswith("3.0")
    assert document["acceptUnknown"] == "no"
    for entry in document["rest"][0]["resource"]:
        assert entry["interaction"]
        assert set(entry["profile"]) == {"reference"}
        assert "supportedProfile" not in entry
    coding = document["rest"][0]["security"]["service"][0]["coding"][0]
    assert coding["system"] == "http://hl7.org/fhir/restful-security-service"


def test_riverside_offers_what_the_contract_needs() -> None:
    offered = interactions("riverside")
    for kind in ("Observation", "DocumentReference"):
        assert offered[kind] == {"create", "update", "read", "vread", "history-instance", "search-type"}
    for kind in ("Patient", "Encounter", "Condition"):
        assert {"read", "search-type"} <= offered[kind]
    profiles = [
        profile
        for entry in metadata_of("riverside")["rest"][0]["resource"]
        for profile in entry.get("supportedProfile", [])
        if entry["type"] != "Subscription"
    ]
    assert len(profiles) > 20
    assert all(re.search(r"/us-core-[a-z-]+\|6\.1\.0$", profile) for profile in profiles)


def test_riverside_is_a_conformant_smart_server() -> None:
    smart, openid = smart_of("riverside"), ORGANIZATIONS["riverside"].openid
    assert openid is not None
    assert {
        "launch-ehr",
        "launch-standalone",
        "authorize-post",
        "client-public",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-ehr-patient",
        "context-ehr-encounter",
        "permission-patient",
        "permission-user",
        "permission-offline",
        "permission-v1",
        "permission-v2",
    } <= set(smart["capabilities"])
    assert smart["code_challenge_methods_supported"] == ["S256"]
    assert smart["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert "private_key_jwt" in smart["token_endpoint_auth_methods_supported"]
    assert smart["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert smart["issuer"] == openid["issuer"] == "{base}/oauth2"
    for key in (
        "jwks_uri",
        "authorization_endpoint",
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
    ):
        assert smart[key] == openid[key]
        assert smart[key].startswith("{base}/")
    assert "RS256" in openid["id_token_signing_alg_values_supported"]
    assert openid["response_types_supported"] and openid["subject_types_supported"]
    needed = {"openid", "fhirUser", "launch", "launch/encounter", "offline_access", "system/*.rs"}
    needed |= {
        f"{level}/{kind}.crus"
        for level in ("patient", "user", "system")
        for kind in ("Observation", "DocumentReference")
    }
    assert needed <= set(smart["scopes_supported"])


def test_riversides_keys_are_public_and_large_enough() -> None:
    jwks = SigningKeys().jwks("riverside", 0)
    assert jwks == SigningKeys().jwks("riverside", 0), "the same on every machine"
    assert len({key["kid"] for key in jwks["keys"]}) == len(jwks["keys"]) == 2
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & set(key) for key in jwks["keys"])
    first, second = (key.public_key for key in KeySet.import_key_set(jwks).keys)  # type: ignore[arg-type]
    assert isinstance(first, rsa.RSAPublicKey) and first.key_size == 2048
    assert isinstance(second, ec.EllipticCurvePublicKey) and second.curve.name == "secp384r1"


def test_lakeshore_has_the_resources_and_is_blocked_on_auth() -> None:
    offered, smart = interactions("lakeshore"), smart_of("lakeshore")
    for kind in ("Observation", "DocumentReference"):
        assert {"create", "update", "read", "search-type"} <= offered[kind]
    assert "launch-standalone" in smart["capabilities"]
    absent = {"launch-ehr", "client-confidential-asymmetric", "sso-openid-connect"}
    assert not absent & set(smart["capabilities"])
    assert smart["token_endpoint_auth_methods_supported"] == ["client_secret_basic"]
    assert smart["grant_types_supported"] == ["authorization_code"]
    assert not {"issuer", "jwks_uri"} & set(smart)
    assert smart["code_challenge_methods_supported"] == ["S256"]
    assert "permission-v2" in smart["capabilities"]
    assert not any(re.search(r"\.c?r?u?d?s?$", scope) for scope in smart["scopes_supported"] if "/" in scope)


def test_pinecrest_has_half_and_writes_nothing() -> None:
    offered = interactions("pinecrest")
    assert 0.4 <= len(offered) / len(interactions("riverside")) <= 0.6
    renamed = {"ProcedureRequest"}  # ServiceRequest since R4
    assert set(offered) - renamed < set(interactions("riverside"))
    assert not any({"create", "update", "patch", "delete"} & codes for codes in offered.values())
    assert "Condition" not in offered
    (extension,) = metadata_of("pinecrest")["rest"][0]["security"]["extension"]
    assert {part["url"] for part in extension["extension"]} == {"authorize", "token"}


@pytest.mark.parametrize("organization", LISTENING, ids=name_of)
def test_people_are_obviously_invented(organization: SimulatedOrganization) -> None:
    patients = [entry for entry in organization.resources if entry["resourceType"] == "Patient"]
    assert patients
    assert {name["family"] for patient in patients for name in patient["name"]} <= {"Test", "Sample", "Example"}
    assert all(identifier["value"].startswith("SIM-") for patient in patients for identifier in patient["identifier"])


@pytest.mark.parametrize("organization", LISTENING, ids=name_of)
def test_every_reference_between_sample_resources_resolves(organization: SimulatedOrganization) -> None:
    known = {f"{entry['resourceType']}/{entry['id']}" for entry in organization.resources}

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
            return own.union(*(references(child) for child in value.values()))
        return set().union(*(references(child) for child in value)) if isinstance(value, list) else set()

    assert references(list(organization.resources)) <= known
