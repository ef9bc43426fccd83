"""The requirements for servers that Riverside claims, tested on ourselves: SMART App Launch 2.2.0, US Core, Bulk Data.

Each row has the numbers of the Inferno SMART App Launch test kit's requirement list for 2.2.0 (``UC@``: its US Core
list, ``BULK@``: its Bulk Data list), and one check. Not claimed, and so not here: TLS (loopback is plain HTTP), brands,
app state, ``fhirContext``, UDAP, US Core 7 and later. Key sets at an address (ASY-02, ASY-03) are tested with
registration.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from interlock.sandbox.client import ASSERTION_TYPE, CLIENT_ID, CLIENT_SECRET
from interlock.sandbox.clients import Client
from interlock.sandbox.grants import Context
from interlock.sandbox.server import SandboxServer
from sandbox_app import CONFIDENTIAL, PUBLIC, App, app_at, query_of

pytestmark = pytest.mark.fast

KEYS = {"ES384": ECKey.generate_key("P-384", {"kid": "e"}), "RS384": RSAKey.generate_key(2048, {"kid": "r"})}
BACKEND = Client(
    id="backend",
    methods=("private_key_jwt",),
    jwks={"keys": [key.as_dict(private=False) for key in KEYS.values()]},
    scopes=("system/Patient.rs", "system/Observation.rs"),
    grant_types=("client_credentials",),
)
CAPABILITIES = frozenset(
    (
        *("launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric"),
        *("client-confidential-asymmetric", "sso-openid-connect", "context-banner", "context-style"),
        *("context-ehr-patient", "context-ehr-encounter", "context-standalone-patient", "context-standalone-encounter"),
        *("permission-offline", "permission-online", "permission-patient", "permission-user", "permission-v1"),
        *("permission-v2", "smart-app-state"),
    )
)


@dataclass
class Hospital:
    """Riverside with three clients, and what it says of itself."""

    server: SandboxServer
    http: httpx.Client
    public: App
    confidential: App
    smart: dict[str, Any]

    @property
    def base(self) -> str:
        return self.public.base

    def backend(self, algorithm: str = "ES384", scope: str = "system/Patient.rs", **claims: Any) -> httpx.Response:
        endpoint, key = self.smart["token_endpoint"], KEYS[algorithm]
        body = {"iss": "backend", "sub": "backend", "aud": endpoint, "exp": int(time.time()) + 250}
        body |= {"jti": str(time.perf_counter_ns()), **claims}
        token = jwt.encode({"alg": algorithm, "kid": key.kid, "typ": "JWT"}, body, key, algorithms=[algorithm])
        form = {"grant_type": "client_credentials", "scope": scope, "client_assertion_type": ASSERTION_TYPE}
        return self.http.post(endpoint, data=form | {"client_assertion": token})

    def launched(
        self, context: Context | None = None, scope: str = "launch openid fhirUser patient/*.rs"
    ) -> dict[str, Any]:
        handle = query_of(self.server.launch("riverside", PUBLIC.id, context=context))["launch"]
        return self.public.sign_in(scope=scope, launch=handle)

    def claims(self, tokens: dict[str, Any]) -> dict[str, Any]:
        keys = KeySet.import_key_set(self.http.get(self.smart["jwks_uri"]).json())
        return jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims

    def error(self, **changes: str | None) -> str:
        return query_of(self.public.authorize(**changes).headers["location"])["error"]


@pytest.fixture(scope="module")
def hospital() -> Iterator[Hospital]:
    with SandboxServer() as server, httpx.Client(trust_env=False, timeout=10) as http:
        server.register("riverside", BACKEND)
        public, confidential = app_at(server, http), app_at(server, http, client=CONFIDENTIAL)
        smart = http.get(f"{public.base}/.well-known/smart-configuration").json()
        yield Hospital(server, http, public, confidential, smart)


def discovery_is_json_at_the_base(it: Hospital) -> None:
    for accept in ("application/json", "application/fhir+xml", "text/html", ""):
        answer = it.http.get(f"{it.base}/.well-known/smart-configuration", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def endpoints_are_absolute(it: Hospital) -> None:
    urls = [value for name, value in it.smart.items() if name.endswith(("_endpoint", "_uri")) or name == "issuer"]
    assert len(urls) >= 6
    assert all(re.match(r"https?://[^/]+/", url) for url in urls)


def capabilities_are_smarts_own(it: Hospital) -> None:
    assert set(it.smart["capabilities"]) <= CAPABILITIES


def required_fields_are_there(it: Hospital) -> None:
    for name in (
        "issuer",
        "jwks_uri",
        "authorization_endpoint",
        "token_endpoint",
        "grant_types_supported",
        "capabilities",
    ):
        assert it.smart[name], name
    for name in ("introspection_endpoint", "revocation_endpoint", "management_endpoint", "response_types_supported"):
        assert it.smart[name], name
    assert it.smart["code_challenge_methods_supported"] == ["S256"]


def every_listed_scope_is_granted(it: Hospital) -> None:
    """Each scope of ``scopes_supported`` is asked for and granted, in the flow that it belongs to."""
    listed = it.smart["scopes_supported"]
    interactive = [scope for scope in listed if not scope.startswith("system/")]
    handle = query_of(it.server.launch("riverside", PUBLIC.id))["launch"]
    tokens = it.public.sign_in(scope=" ".join(interactive), launch=handle)
    assert set(tokens["scope"].split()) == set(interactive)
    every = replace(BACKEND, scopes=())
    it.server.register("riverside", every)
    backend = [scope for scope in listed if scope.startswith("system/")]
    granted = it.backend(scope=" ".join(backend)).json()["scope"].split()
    it.server.register("riverside", BACKEND)
    assert set(granted) == set(backend)


def authorization_by_get_and_post(it: Hospital) -> None:
    for method in ("GET", "POST"):
        assert "code" in query_of(it.public.authorize(method).headers["location"])


def each_kind_of_client_is_served(it: Hospital) -> None:
    assert it.public.sign_in()["access_token"]
    assert it.confidential.sign_in()["access_token"]
    assert it.backend().status_code == 200


def required_parameters_are_required(it: Hospital) -> None:
    for name in ("response_type", "state", "aud", "scope", "code_challenge"):
        assert it.error(**{name: None}).startswith("invalid_"), name
    for name in ("client_id", "redirect_uri"):
        assert it.public.authorize(**{name: None}).status_code == 400, name


def the_audience_is_this_server(it: Hospital) -> None:
    assert it.error(aud=it.server.base_url("lakeshore")) == "invalid_request"
    token = it.public.sign_in()["access_token"]
    elsewhere = it.http.get(
        f"{it.server.base_url('lakeshore')}/Patient/lk-patient-1", headers={"Authorization": f"Bearer {token}"}
    )
    assert elsewhere.status_code == 401


def pkce_is_checked(it: Hospital) -> None:
    assert it.error(code_challenge_method="plain") == "invalid_request"
    assert it.public.redeem(it.public.code(), code_verifier="x" * 43).json()["error"] == "invalid_grant"
    assert it.confidential.redeem(it.confidential.code(), code_verifier=None).json()["error"] == "invalid_grant"


def state_comes_back_unchanged(it: Hospital) -> None:
    for state in ("x" * 600, "a b+c/d=e&f%20?#~", "é"):
        assert query_of(it.public.authorize(state=state).headers["location"])["state"] == state


def redirect_addresses_match_exactly(it: Hospital) -> None:
    for address in (PUBLIC.redirect_uris[1] + "/", PUBLIC.redirect_uris[1].upper()):
        assert it.public.authorize(redirect_uri=address).status_code == 400
    assert it.public.authorize(redirect_uri=PUBLIC.redirect_uris[1]).status_code == 302


def the_token_response_is_whole(it: Hospital) -> None:
    response = it.public.redeem(it.public.code())
    tokens = response.json()
    assert tokens["access_token"]
    assert tokens["token_type"].lower() == "bearer"
    assert tokens["scope"]
    assert 0 < tokens["expires_in"] <= 3_600
    assert "no-store" in response.headers["cache-control"]
    assert "no-cache" in response.headers["pragma"]


def confidential_clients_authenticate(it: Hospital) -> None:
    code = it.confidential.code()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CONFIDENTIAL.redirect_uris[0]}
    form |= {"client_id": CONFIDENTIAL.id, "code_verifier": it.confidential.verifier}
    response = it.http.post(it.smart["token_endpoint"], data=form)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert "basic" in response.headers["www-authenticate"].lower()
    assert it.confidential.redeem(code).status_code == 200


def the_token_travels_in_the_header_alone(it: Hospital) -> None:
    token = it.public.sign_in()["access_token"]
    assert it.public.read(token, "Patient/rv-patient-1").status_code == 200
    in_query = it.http.get(f"{it.base}/Patient/rv-patient-1", params={"access_token": token})
    assert in_query.status_code == 401


def refresh_tokens_are_bound_and_never_widen(it: Hospital) -> None:
    first = it.public.sign_in(scope="offline_access launch/patient patient/Patient.rs patient/Observation.rs")
    token = first["refresh_token"]
    wider = it.public.ask(grant_type="refresh_token", refresh_token=token, scope="patient/Condition.rs")
    assert wider.json()["error"] == "invalid_scope"
    assert it.confidential.ask(grant_type="refresh_token", refresh_token=token).json()["error"] == "invalid_grant"
    response = it.public.ask(grant_type="refresh_token", refresh_token=token, scope="patient/Patient.rs")
    second = response.json()
    assert (second["scope"], second["token_type"]) == ("patient/Patient.rs", "Bearer")
    assert second["expires_in"] > 0
    assert response.headers["cache-control"] == "no-store"
    assert it.public.read(second["access_token"], "Observation?patient=rv-patient-1").status_code == 403


def offline_access_is_what_gives_refresh_tokens(it: Hospital) -> None:
    assert "refresh_token" in it.public.sign_in()
    assert "refresh_token" not in it.public.sign_in(scope="launch/patient patient/*.rs")
    assert it.error(scope="online_access") == "invalid_scope", "not offered here"


def asymmetric_clients_are_described(it: Hospital) -> None:
    assert "client-confidential-asymmetric" in it.smart["capabilities"]
    assert "private_key_jwt" in it.smart["token_endpoint_auth_methods_supported"]
    assert {"RS384", "ES384"} & set(it.smart["token_endpoint_auth_signing_alg_values_supported"])
    assert it.smart["scopes_supported"]


def both_algorithms_verify(it: Hospital) -> None:
    for algorithm in it.smart["token_endpoint_auth_signing_alg_values_supported"]:
        assert it.backend(algorithm).status_code == 200, algorithm


def assertions_are_checked(it: Hospital) -> None:
    for claims in (
        {"iss": "nobody"},
        {"sub": "public-app"},
        {"aud": it.base},
        {"exp": int(time.time()) + 400},
        {"exp": int(time.time()) - 5},
        {"jti": ""},
    ):
        assert it.backend(**claims).json()["error"] == "invalid_client", claims
    assert it.backend(jti="only once").status_code == 200
    assert it.backend(jti="only once").json()["error"] == "invalid_client"


def backend_tokens_are_short(it: Hospital) -> None:
    tokens = it.backend().json()
    assert {"access_token", "token_type", "expires_in", "scope"} <= tokens.keys()
    assert tokens["expires_in"] <= 300
    assert "refresh_token" not in tokens
    assert "patient" not in tokens


def backend_scopes_are_those_of_the_registration(it: Hospital) -> None:
    refused = it.backend(scope="system/Condition.rs")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert refused.json()["error_description"]
    assert it.backend(scope="patient/Patient.rs user/Patient.rs").json()["error"] == "invalid_scope"
    assert it.backend(scope="system/Patient.rs system/Condition.rs").json()["scope"] == "system/Patient.rs"


def scope_letters_are_enforced(it: Hospital) -> None:
    read = it.public.sign_in(scope="launch/patient patient/Patient.rs patient/Observation.rs")["access_token"]
    assert it.public.read(read, "Observation/rv-lactate-1").status_code == 200
    assert it.public.read(read, "Observation?patient=rv-patient-1").status_code == 200
    assert it.public.read(read, "Condition?patient=rv-patient-1").status_code == 403
    header = {"Authorization": f"Bearer {read}"}
    assert (
        it.http.post(f"{it.base}/Observation", json={"resourceType": "Observation"}, headers=header).status_code == 403
    )
    assert it.error(scope="patient/Observation.sr") == "invalid_scope"


def v1_scopes_are_read_and_returned(it: Hospital) -> None:
    tokens = it.public.sign_in(scope="launch/patient patient/Observation.read")
    assert tokens["scope"] == "launch/patient patient/Observation.read"
    for path in ("Observation/rv-lactate-1", "Observation?patient=rv-patient-1"):
        assert it.public.read(tokens["access_token"], path).status_code == 200


def search_constraints_are_enforced(it: Hospital) -> None:
    tokens = it.public.sign_in(scope="launch/patient patient/Observation.rs?category=laboratory")
    found = it.public.read(tokens["access_token"], "Observation?patient=rv-patient-1").json()["entry"]
    assert {entry["resource"]["category"][0]["coding"][0]["code"] for entry in found} == {"laboratory"}
    assert it.public.read(tokens["access_token"], "Observation/rv-heart-rate-1").status_code == 404


def a_wildcard_is_every_type(it: Hospital) -> None:
    token = it.public.sign_in(scope="launch/patient patient/*.read")["access_token"]
    for kind in ("Condition", "Observation", "Encounter"):
        assert it.public.read(token, f"{kind}?patient=rv-patient-1").status_code == 200


def launches_are_carried_back(it: Hospital) -> None:
    handle = query_of(it.server.launch("riverside", PUBLIC.id))["launch"]
    assert it.error(scope="launch patient/*.rs", launch=None) == "invalid_request"
    assert it.error(scope="launch patient/*.rs", launch=handle[:-1]) == "invalid_request"
    assert it.launched()["patient"] == "rv-patient-1"


def context_arrives_with_the_token(it: Hospital) -> None:
    tokens = it.launched(Context("rv-patient-2", "rv-encounter-2", "order", need_patient_banner=False))
    assert (tokens["patient"], tokens["encounter"], tokens["intent"]) == ("rv-patient-2", "rv-encounter-2", "order")
    assert tokens["need_patient_banner"] is False
    assert all(isinstance(tokens[name], str) for name in ("smart_style_url", "tenant"))


def standalone_context_is_picked(it: Hospital) -> None:
    tokens = it.public.sign_in(scope="launch/patient launch/encounter patient/*.rs")
    assert (tokens["patient"], tokens["encounter"]) == ("rv-patient-1", "rv-encounter-1")
    assert it.public.sign_in(scope="patient/*.rs")["patient"] == "rv-patient-1", "a patient scope implies a patient"


def id_tokens_are_verifiable(it: Hospital) -> None:
    tokens = it.launched()
    claims = it.claims(tokens)
    assert claims["iss"] == it.smart["issuer"]
    assert (claims["aud"], claims["sub"]) == (PUBLIC.id, "riverside-clinician")
    assert claims["exp"] > time.time() >= claims["iat"] - 1
    assert claims["fhirUser"] == f"{it.base}/Practitioner/rv-practitioner-1"
    own = it.public.sign_in(scope="openid fhirUser user/Practitioner.rs")
    assert (
        it.http.get(claims["fhirUser"], headers={"Authorization": f"Bearer {own['access_token']}"}).status_code == 200
    )


def the_issuer_leads_to_its_keys(it: Hospital) -> None:
    document = it.http.get(f"{it.smart['issuer']}/.well-known/openid-configuration").json()
    assert document["issuer"] == it.smart["issuer"]
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    keys = it.http.get(document["jwks_uri"]).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    assert all({"kty", "kid"} <= key.keys() for key in keys)


def introspection_tells_what_the_token_does(it: Hospital) -> None:
    tokens = it.launched()
    endpoint = it.smart["introspection_endpoint"]
    assert it.http.post(endpoint, data={"token": tokens["access_token"]}).status_code == 401, "never to a stranger"
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    told = it.http.post(endpoint, data={"token": tokens["access_token"]}, headers=header).json()
    assert (told["active"], told["client_id"], told["scope"]) == (True, PUBLIC.id, tokens["scope"])
    assert told["exp"] > time.time()
    assert (told["patient"], told["encounter"]) == (tokens["patient"], tokens["encounter"])
    claims = it.claims(tokens)
    assert (told["iss"], told["sub"], told["fhirUser"]) == (claims["iss"], claims["sub"], claims["fhirUser"])
    assert it.http.post(endpoint, data={"token": "x"}, headers=header).json() == {"active": False}


def browsers_of_anyone_discover(it: Hospital) -> None:
    for path in ("metadata", ".well-known/smart-configuration"):
        answer = it.http.get(f"{it.base}/{path}", headers={"Origin": "https://anyone.example"})
        assert answer.headers["access-control-allow-origin"] == "*"


def browsers_of_registered_origins_get_tokens(it: Hospital) -> None:
    asked = {"Origin": "https://app.sentinel-sepsis.example", "Access-Control-Request-Method": "POST"}
    for address in (it.smart["token_endpoint"], f"{it.base}/Patient"):
        assert it.http.options(address, headers=asked).headers["access-control-allow-origin"] == asked["Origin"]


def refusals_of_the_api_are_plain(it: Hospital) -> None:
    assert it.http.get(f"{it.base}/Patient/rv-patient-1").status_code == 401
    token = it.public.sign_in(scope="launch/patient patient/Patient.rs")["access_token"]
    assert it.public.read(token, "Patient/none").status_code == 404
    assert it.public.read(token, "Observation/rv-lactate-1").status_code == 403
    assert it.public.read(token, "Patient?nonsense=1").status_code == 400


def capability_sets_are_whole(it: Hospital) -> None:
    offered, ours = set(it.smart["capabilities"]), {"launch-ehr", "launch-standalone"}
    assert ours <= offered
    for needed in (
        {"launch-standalone", "context-standalone-patient", "permission-patient"},
        {"launch-ehr", "context-ehr-patient", "permission-patient"},
        {"launch-standalone", "permission-user", "permission-patient"},
        {"launch-ehr", "context-ehr-patient", "context-ehr-encounter", "permission-user", "permission-patient"},
    ):
        assert needed <= offered
    tokens = it.launched(scope="launch openid user/Observation.rs patient/Observation.rs offline_access")
    assert {"id_token", "refresh_token", "patient", "encounter"} <= tokens.keys()
    assert {"user/Observation.rs", "patient/Observation.rs"} <= set(tokens["scope"].split())


def scopes_are_limited_by_the_users_own_rights(it: Hospital) -> None:
    token = it.public.sign_in(scope="launch/patient user/*.rs", login_hint="patient")["access_token"]
    assert it.public.read(token, "Patient/rv-patient-1").status_code == 200
    assert it.public.read(token, "Patient/rv-patient-2").status_code == 404


def scopes_are_a_union(it: Hospital) -> None:
    both = it.public.sign_in(scope="launch/patient patient/Observation.r patient/Observation.s")["access_token"]
    read = it.public.sign_in(scope="launch/patient patient/Observation.r")["access_token"]
    for path, alone in (("Observation/rv-lactate-1", 200), ("Observation?patient=rv-patient-1", 403)):
        assert it.public.read(both, path).status_code == 200
        assert it.public.read(read, path).status_code == alone


def identity_is_given_to_those_who_ask(it: Hospital) -> None:
    assert "id_token" not in it.public.sign_in(scope="launch/patient patient/*.rs")
    assert "fhirUser" not in it.claims(it.public.sign_in(scope="openid launch/patient patient/*.rs"))
    assert "fhirUser" in it.claims(it.public.sign_in(scope="openid fhirUser launch/patient patient/*.rs"))
    openid = it.http.get(it.smart["issuer"] + "/.well-known/openid-configuration").json()
    assert "RS256" in openid["id_token_signing_alg_values_supported"]


def keys_are_whole(it: Hospital) -> None:
    for algorithm, key in KEYS.items():
        assert it.backend(algorithm).status_code == 200
        needed = {"kty", "kid", *(("crv", "x", "y") if algorithm == "ES384" else ("n", "e"))}
        for name in needed:
            lacking = {part: value for part, value in key.as_dict(private=False).items() if part != name}
            it.server.register("riverside", replace(BACKEND, jwks={"keys": [lacking]}))
            refused = it.backend(algorithm)
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client"), name
        it.server.register("riverside", BACKEND)


def the_statement_claims_us_core_and_json(it: Hospital) -> None:
    statement = it.http.get(f"{it.base}/metadata").json()
    claimed = [one.partition("|")[0] for one in statement["instantiates"]]
    assert "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server" in claimed
    assert {"json", "application/fhir+json"} & set(statement["format"])


def own_token(it: Hospital) -> dict[str, str]:
    form = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    answer = it.http.post(it.smart["token_endpoint"], data=form, auth=(CLIENT_ID, CLIENT_SECRET)).json()
    return {"Authorization": f"Bearer {answer['access_token']}"}


def groups_are_exported(it: Hospital) -> None:
    """Kick-off, polling, files with a token alone, and an outcome for what cannot be."""
    types = {entry["type"]: entry for entry in it.http.get(f"{it.base}/metadata").json()["rest"][0]["resource"]}
    (operation,) = types["Group"]["operation"]
    assert operation["definition"].endswith("/uv/bulkdata/OperationDefinition/group-export")
    token = own_token(it)
    (group,) = it.http.get(f"{it.base}/Group", headers=token).json()["entry"]
    assert it.http.get(f"{it.base}/Group/{group['resource']['id']}", headers=token).status_code == 200
    export = f"{it.base}/Group/{group['resource']['id']}/$export"
    asked = token | {"Accept": "application/fhir+json", "Prefer": "respond-async"}
    assert it.http.get(export, headers=asked, params={"_outputFormat": "xml"}).json()["resourceType"] == (
        "OperationOutcome"
    )
    narrowed = {"_outputFormat": "application/fhir+ndjson", "_since": "2020-01-01T00:00:00Z"}
    begun = it.http.get(export, headers=asked, params=narrowed)
    assert begun.status_code == 202
    status = begun.headers["content-location"]
    again = it.http.get(export, headers=asked)
    assert (again.status_code, "retry-after" in again.headers) == (429, True)
    waiting = it.http.get(status, headers=token)
    assert (waiting.status_code, "retry-after" in waiting.headers) == (202, True)
    done = it.http.get(status, headers=token).json()
    assert {"transactionTime", "request", "requiresAccessToken", "output", "error"} <= done.keys()
    first = done["output"][0]
    assert it.http.get(first["url"]).status_code == 401
    file = it.http.get(first["url"], headers=token)
    assert file.headers["content-type"] == "application/fhir+ndjson"
    assert {json.loads(line)["resourceType"] for line in file.text.splitlines()} == {first["type"]}
    assert it.http.delete(status, headers=token).status_code == 202


#: Row of the project's list of specifications' rules, Inferno's numbers, check.
REQUIREMENTS: tuple[tuple[str, str, Callable[[Hospital], None]], ...] = (
    ("DIS-01 DIS-02", "@372 @374 @376 @377 @380", discovery_is_json_at_the_base),
    ("DIS-03", "@378", endpoints_are_absolute),
    ("DIS-06", "@347", capabilities_are_smarts_own),
    ("FLD-01 to FLD-07, FLD-14 to FLD-19", "@381 to @386 @390 to @394 @288 @289 @14 @15", required_fields_are_there),
    ("FLD-13", "@389 @287", every_listed_scope_is_granted),
    ("CPB-02", "@48 @49 @354", authorization_by_get_and_post),
    ("CPB-03", "@355 @356 @357", each_kind_of_client_is_served),
    ("AUT-01", "@32 to @45", required_parameters_are_required),
    ("AUT-02", "@41 @42 @43 @96", the_audience_is_this_server),
    ("AUT-03", "@13 @14 @15 @31", pkce_is_checked),
    ("AUT-04", "@39 @60", state_comes_back_unchanged),
    ("AUT-05", "@21 @34", redirect_addresses_match_exactly),
    ("TOK-01 TOK-02 TOK-03", "@74 to @81 @86 @87 @91", the_token_response_is_whole),
    ("TOK-04 SYM-01", "@71 @72 @343 @344 @345", confidential_clients_authenticate),
    ("TOK-06", "@93", the_token_travels_in_the_header_alone),
    ("REF-01 REF-02 REF-03", "@103 to @117", refresh_tokens_are_bound_and_never_widen),
    ("REF-04 SCO-11", "@100 @101 @102 @215 @216", offline_access_is_what_gives_refresh_tokens),
    ("ASY-01", "@285 to @289", asymmetric_clients_are_described),
    ("ASY-05", "@308 to @312", both_algorithms_verify),
    ("ASY-06 ASY-07 ASY-08 ASY-09", "@321 to @332 @336 @338 @340", assertions_are_checked),
    ("BCK-01 BCK-03", "@230 to @238 @248 @254 to @262", backend_tokens_are_short),
    ("BCK-02 BCK-04 BCK-05", "@239 @240 @242 to @246 @251 @252", backend_scopes_are_those_of_the_registration),
    ("SCO-02 SCO-03", "@120 to @125 @129 @135", scope_letters_are_enforced),
    ("SCO-04", "@126 @127 @128", v1_scopes_are_read_and_returned),
    ("SCO-05", "@132", search_constraints_are_enforced),
    ("SCO-07", "@144 @148", a_wildcard_is_every_type),
    ("CTX-02", "@35 @36 @161", launches_are_carried_back),
    ("CTX-04 CTX-07 CPB-05 CPB-06", "@168 to @176 @193 @359 to @362", context_arrives_with_the_token),
    ("CTX-03 CPB-07 SCO-09", "@150 @164 @165 @363", standalone_context_is_picked),
    ("SSO-01 SSO-03 SSO-04", "@198 @203 @204 @205 @209 @210", id_tokens_are_verifiable),
    ("SSO-02 SSO-05", "@207 @208 @218", the_issuer_leads_to_its_keys),
    ("INT-01 INT-02 INT-03", "@269 @272 to @282", introspection_tells_what_the_token_does),
    ("COR-01", "@16", browsers_of_anyone_discover),
    ("COR-02", "@17", browsers_of_registered_origins_get_tokens),
    ("CPB-01 CPB-04 CPB-08 SET-1 to SET-4", "@348 to @353 @358 @365 to @370", capability_sets_are_whole),
    ("SCO-06", "@119", scopes_are_limited_by_the_users_own_rights),
    ("SCO-08", "@131", scopes_are_a_union),
    ("SCO-10 OID-04", "@195 to @197 @210", identity_is_given_to_those_who_ask),
    ("ASY-02 ASY-04", "@296 @313 to @315", keys_are_whole),
    ("UC-02 UC-04", "UC6@14 UC@540", the_statement_claims_us_core_and_json),
    ("BLK-02 to BLK-08", "BULK@29 BULK@42 BULK@47 BULK@118 BULK@125 BULK@132 BULK@150 BULK@300", groups_are_exported),
    ("UC-06", "UC@536 to UC@539 UC@543", refusals_of_the_api_are_plain),
)


@pytest.mark.parametrize(
    "check", [pytest.param(check, id=f"{row} ({numbers})") for row, numbers, check in REQUIREMENTS]
)
def test_a_requirement_holds(hospital: Hospital, check: Callable[[Hospital], None]) -> None:
    check(hospital)
