"""The authorisation server over HTTP: what it refuses and how, and the one client that it serves."""

from __future__ import annotations

import base64
import time

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from interlock.sandbox.client import (
    ASSERTION_TYPE,
    CLIENT_ID,
    CLIENT_SECRET,
    KEY_ID,
    client_key,
)
from interlock.sandbox.server import SandboxServer
from sandbox_client import client_assertion, client_private_key_pem

pytestmark = pytest.mark.fast

SECRET = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
GRANT = {"grant_type": "client_credentials", "scope": "system/*.rs"}


@pytest.fixture
def endpoint(riverside: str) -> str:
    return f"{riverside}/oauth2/token"


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def assertion(token: str) -> dict[str, str]:
    return {**GRANT, "client_assertion_type": ASSERTION_TYPE, "client_assertion": token}


def refused(response: httpx.Response, error: str, status: int = 400) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["error"] == error
    assert response.json()["error_description"]


def test_an_unknown_grant_is_unsupported(http: httpx.Client, endpoint: str) -> None:
    refused(http.post(endpoint, data={"grant_type": "urn:example:unknown"}), "unsupported_grant_type")


def test_a_request_without_a_grant_is_invalid(http: httpx.Client, endpoint: str) -> None:
    refused(http.post(endpoint, data={"scope": "system/*.rs"}), "invalid_request")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"grant_type=client_credentials&grant_type=client_credentials", "application/x-www-form-urlencoded"),
        (b"grant_type=\xff", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(60)), "application/x-www-form-urlencoded"),
    ],
    ids=["json", "repeated", "not utf-8", "many"],
)
def test_a_malformed_body_is_invalid(http: httpx.Client, endpoint: str, body: bytes, content_type: str) -> None:
    refused(http.post(endpoint, content=body, headers={"Content-Type": content_type}), "invalid_request")


def test_a_large_body_is_refused(http: httpx.Client, endpoint: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(http.post(endpoint, content=b"a=" + b"x" * 1_000_000, headers=form), "invalid_request", 413)


def test_only_post_is_answered(http: httpx.Client, endpoint: str) -> None:
    response = http.get(endpoint)
    refused(response, "invalid_request", 405)
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({}, {}),
        ({}, {"client_id": CLIENT_ID}),
        ({}, {"client_id": CLIENT_ID, "client_secret": "wrong"}),
        ({}, {"client_id": "nobody", "client_secret": CLIENT_SECRET}),
        (basic(CLIENT_ID, "wrong"), {}),
        (basic("nobody", CLIENT_SECRET), {}),
        ({"Authorization": "Basic !!!"}, {}),
        ({"Authorization": "Basic bm9jb2xvbg=="}, {}),
        ({"Authorization": "Bearer abc"}, {}),
    ],
)
def test_a_client_that_fails_to_authenticate_gets_401_with_a_challenge(
    http: httpx.Client, endpoint: str, headers: dict[str, str], fields: dict[str, str]
) -> None:
    response = http.post(endpoint, data=GRANT | fields, headers=headers)
    refused(response, "invalid_client", 401)
    assert response.headers["www-authenticate"] == 'Basic realm="riverside"'


def test_two_ways_of_authentication_are_one_too_many(http: httpx.Client, endpoint: str) -> None:
    refused(http.post(endpoint, data=GRANT | SECRET, headers=basic(CLIENT_ID, CLIENT_SECRET)), "invalid_request")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_the_sandbox_client_gets_a_short_lived_token(http: httpx.Client, endpoint: str, method: str) -> None:
    if method == "client_secret_basic":
        response = http.post(endpoint, data=GRANT, headers=basic(CLIENT_ID, CLIENT_SECRET))
    elif method == "client_secret_post":
        response = http.post(endpoint, data=GRANT | SECRET)
    else:
        response = http.post(endpoint, data=assertion(client_assertion(endpoint)))
    assert response.status_code == 200, response.text
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    answer = response.json()
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 300, "system/*.rs")
    assert len(answer["access_token"]) >= 32
    assert "refresh_token" not in answer


def test_each_token_is_different(http: httpx.Client, endpoint: str) -> None:
    tokens = {http.post(endpoint, data=GRANT | SECRET).json()["access_token"] for _ in range(3)}
    assert len(tokens) == 3


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("system/Observation.rs", "system/Observation.rs"),
        ("system/Observation.read", "system/Observation.read"),
        ("system/Patient.r system/Observation.crus launch openid", "system/Patient.r"),
        ("system/Patient.rs system/Patient.rs", "system/Patient.rs"),
    ],
)
def test_what_the_client_may_have_is_granted(http: httpx.Client, endpoint: str, asked: str, granted: str) -> None:
    answer = http.post(endpoint, data=SECRET | {"grant_type": "client_credentials", "scope": asked})
    assert answer.json()["scope"] == granted


@pytest.mark.parametrize(
    "asked", ["", "system/Observation.cud", "system/*.write", "patient/*.rs", "system/Patient.sr", "system/Patient."]
)
def test_other_scopes_are_refused(http: httpx.Client, endpoint: str, asked: str) -> None:
    answer = http.post(endpoint, data=SECRET | {"grant_type": "client_credentials", "scope": asked})
    refused(answer, "invalid_scope")


def test_the_sandbox_client_is_for_backends_only(http: httpx.Client, endpoint: str) -> None:
    code = {"grant_type": "authorization_code", "code": "abc", "redirect_uri": "https://app.example"}
    refused(http.post(endpoint, data=SECRET | code), "unauthorized_client")
    refused(http.post(endpoint, data=code), "invalid_client", 401)


def stranger_key() -> ECKey:
    return ECKey.import_key(ec.generate_private_key(ec.SECP384R1()), {"kid": KEY_ID})


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"iss": "nobody"}, "iss names no client"),
        ({"sub": "nobody"}, "iss and sub"),
        ({"aud": "https://elsewhere.example/token"}, "aud must be"),
        ({"exp": int(time.time()) - 10}, "exp must lie ahead"),
        ({"exp": int(time.time()) + 4_000}, "exp must lie ahead"),
        ({"exp": "tomorrow"}, "exp must lie ahead"),
        ({"jti": ""}, "jti is missing"),
        ({"jti": "x" * 300}, "jti is missing"),
    ],
)
def test_an_assertion_with_wrong_claims_is_refused(
    http: httpx.Client, endpoint: str, changed: dict[str, object], problem: str
) -> None:
    response = http.post(endpoint, data=assertion(client_assertion(endpoint, **changed)))
    refused(response, "invalid_client", 401)
    assert problem in response.json()["error_description"]


def test_an_assertion_of_another_key_algorithm_or_kid_is_refused(http: httpx.Client, endpoint: str) -> None:
    claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": endpoint, "exp": int(time.time()) + 60, "jti": "another-key"}
    header = {"alg": "ES384", "kid": KEY_ID, "typ": "JWT"}
    forged = jwt.encode(header, claims, stranger_key(), algorithms=["ES384"])
    other_kid = jwt.encode(header | {"kid": "other"}, claims, client_key(), algorithms=["ES384"])
    unsigned = "eyJhbGciOiJub25lIn0." + forged.split(".")[1] + "."
    deep = base64.urlsafe_b64encode(b"[" * 20_000).decode().rstrip("=")
    for token in (forged, other_kid, unsigned, "nonsense", "a.b.c", f"{deep}.e30.e30", ""):
        response = http.post(endpoint, data=assertion(token) if token else GRANT | {"client_assertion": "x"})
        assert response.status_code in (400, 401), token[:40]
        assert response.json()["error"] in ("invalid_client", "invalid_request")


def test_an_assertion_is_used_once(http: httpx.Client, endpoint: str) -> None:
    form = assertion(client_assertion(endpoint))
    assert http.post(endpoint, data=form).status_code == 200
    second = http.post(endpoint, data=form)
    refused(second, "invalid_client", 401)
    assert "used before" in second.json()["error_description"]


def test_the_published_key_is_the_one_that_is_trusted(http: httpx.Client, endpoint: str) -> None:
    key = ECKey.import_key(client_private_key_pem())
    claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": [endpoint], "exp": time.time() + 60, "jti": "from-pem"}
    token = jwt.encode({"alg": "ES384", "kid": KEY_ID}, claims, key, algorithms=["ES384"])
    assert http.post(endpoint, data=assertion(token)).status_code == 200


def test_lakeshore_issues_nothing_to_backends(server: SandboxServer, http: httpx.Client) -> None:
    endpoint = f"{server.base_url('lakeshore')}/auth/token"
    refused(http.post(endpoint, data=GRANT | SECRET), "unsupported_grant_type")
    keyed = {
        "grant_type": "authorization_code",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion(endpoint),
    }
    response = http.post(endpoint, data=keyed)
    refused(response, "invalid_client", 401)
    assert "private_key_jwt is not offered" in response.json()["error_description"]


def test_pinecrests_endpoints_are_those_of_its_statement(server: SandboxServer, http: httpx.Client) -> None:
    base = server.base_url("pinecrest")
    security = http.get(f"{base}/metadata").json()["rest"][0]["security"]
    uris = {part["url"]: part["valueUri"] for part in security["extension"][0]["extension"]}
    refused(http.post(uris["token"], data=GRANT), "unsupported_grant_type")
    assert http.get(uris["authorize"]).status_code == 400


def test_the_management_page_is_for_people(server: SandboxServer, http: httpx.Client) -> None:
    smart = http.get(f"{server.base_url('lakeshore')}/.well-known/smart-configuration").json()
    response = http.get(smart["management_endpoint"])
    assert response.status_code == 200
    assert "Lakeshore Health System" in response.text


def test_introspection_and_revocation_need_the_client(http: httpx.Client, riverside: str, endpoint: str) -> None:
    token = http.post(endpoint, data=GRANT | SECRET).json()["access_token"]
    introspect, revoke = f"{riverside}/oauth2/introspect", f"{riverside}/oauth2/revoke"
    for address in (introspect, revoke):
        refused(http.post(address, data={"token": token}), "invalid_client", 401)
    found = http.post(introspect, data=SECRET | {"token": token}).json()
    assert (found["active"], found["scope"], found["client_id"]) == (True, "system/*.rs", CLIENT_ID)
    assert 0 < found["exp"] - time.time() <= 300
    assert http.post(introspect, data=SECRET | {"token": "unknown"}).json() == {"active": False}
    assert http.post(revoke, data=SECRET | {"token": token}).status_code == 200
    assert http.post(revoke, data=SECRET | {"token": token}).status_code == 200
    assert http.post(introspect, data=SECRET | {"token": token}).json() == {"active": False}
    refused(http.post(revoke, data=SECRET), "invalid_request")
