"""What the authorization server refuses, each as its specification says, and in the log in words."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from rich_hospital import Desk, hospital

from interlock.sandbox.client import ASSERTION_TYPE
from interlock.sandbox.clients import Client
from interlock.sandbox.server import SandboxServer
from sandbox_app import CONFIDENTIAL, PUBLIC, REDIRECT, App, app_at, query_of

pytestmark = pytest.mark.fast

#: What ``error_description`` may hold (RFC 6749 section 4.1.2.1).
DESCRIBING = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")


@pytest.fixture(params=[PUBLIC, CONFIDENTIAL], ids=["public", "with a secret"])
def app(request: pytest.FixtureRequest, server: SandboxServer, http: httpx.Client) -> App:
    return app_at(server, http, client=request.param)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": None}, "client_id is missing"),
        ({"client_id": "nobody"}, "no client 'nobody' is registered here"),
        ({"client_id": "<b>x</b>"}, "is registered here"),
        ({"redirect_uri": None}, "is no redirect address"),
        ({"redirect_uri": "https://evil.example/"}, "is no redirect address"),
        ({"redirect_uri": REDIRECT + "&more=1"}, "is no redirect address"),
        ({"redirect_uri": REDIRECT.replace("127.0.0.1", "127.0.0.2")}, "is no redirect address"),
        ({"redirect_uri": REDIRECT.replace(":9/", ":10/")}, "is no redirect address"),
        ({"redirect_uri": REDIRECT.replace("callback", "Callback")}, "is no redirect address"),
        ({"redirect_uri": REDIRECT.split("?")[0]}, "is no redirect address"),
        ({"redirect_uri": REDIRECT + "#x"}, "is no redirect address"),
    ],
)
def test_an_application_that_cannot_be_trusted_is_never_redirected_to(
    app: App, server: SandboxServer, changes: dict[str, Any], words: str
) -> None:
    """RFC 6749 section 4.1.2.1; RFC 9700 section 2.1."""
    response = app.authorize(**changes)
    assert response.status_code == 400
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "location" not in response.headers
    assert "<b>x" not in response.text
    assert words in server.log.lines[-1].words
    assert "without a redirect" in server.log.lines[-1].words


def test_a_repeated_parameter_is_a_page(app: App, server: SandboxServer) -> None:
    response = app.http.get(app.authorization_endpoint, params=[*app.request().items(), ("client_id", "x")])
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "a parameter is repeated" in server.log.lines[-1].words


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"response_type": None}, "invalid_request", "response_type is missing"),
        ({"response_type": "token"}, "unsupported_response_type", "response_type must be code"),
        ({"state": None}, "invalid_request", "state is missing"),
        ({"aud": None}, "invalid_request", "aud is missing"),
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request", "aud must be"),
        ({"aud": "{base}/"}, "invalid_request", "aud must be"),
        ({"scope": None}, "invalid_scope", "scope is missing"),
        ({"scope": "patient/Observation.sr nonsense"}, "invalid_scope", "nothing of"),
        ({"scope": "system/*.rs"}, "invalid_scope", "nothing of"),
        ({"code_challenge_method": "plain"}, "invalid_request", "plain"),
        ({"code_challenge_method": None}, "invalid_request", "plain"),
        ({"code_challenge": None}, "invalid_request", "code_challenge must be"),
        ({"code_challenge": "short"}, "invalid_request", "code_challenge must be"),
        ({"scope": "launch patient/*.rs"}, "invalid_request", "needs the parameter launch"),
        ({"scope": "launch patient/*.rs", "launch": "made-up"}, "invalid_request", "launch is unknown here"),
        ({"login_hint": "nurse"}, "login_required", "login_hint names no test user; users: clinician"),
        ({"request": "eyJ"}, "request_not_supported", "request objects"),
        ({"scope": "x" * 9_000}, "invalid_scope", "scope is longer"),
        ({"scope": '\u00e9 "\\ \r\nx\u0001'}, "invalid_scope", "nothing of '? ?? ??x?'"),
        ({"nonce": "n" * 600}, "invalid_request", "nonce is longer"),
    ],
)
def test_other_mistakes_are_told_by_redirect(
    app: App, server: SandboxServer, changes: dict[str, Any], error: str, words: str
) -> None:
    if changes.get("aud") == "{base}/":
        changes = {"aud": f"{app.base}/"}
    response = app.authorize(**changes)
    assert response.status_code == 302
    assert response.headers["location"].startswith(f"{REDIRECT}&error=")
    answer = query_of(response.headers["location"])
    assert (answer["error"], answer.get("state"), "code" in answer) == (
        error,
        app.request(**changes).get("state"),
        False,
    )
    assert words in answer["error_description"]
    assert DESCRIBING.fullmatch(answer["error_description"])
    assert server.log.lines[-1].words.startswith(f"the sign-in of {app.client.id} was refused with {error}: ")
    assert words in server.log.lines[-1].words


def test_pkce_is_asked_of_public_clients_and_of_nobody_twice(server: SandboxServer, http: httpx.Client) -> None:
    bare = {"code_challenge": None, "code_challenge_method": None}
    public, confidential = app_at(server, http), app_at(server, http, client=CONFIDENTIAL)
    assert query_of(public.authorize(**bare).headers["location"])["error"] == "invalid_request"
    code = confidential.code(**bare)
    assert confidential.redeem(code, code_verifier="v" * 43).json()["error"] == "invalid_grant"
    assert confidential.redeem(confidential.code(**bare), code_verifier=None).status_code == 200


def test_a_launch_is_for_the_client_that_was_launched(server: SandboxServer, http: httpx.Client) -> None:
    public, confidential = app_at(server, http), app_at(server, http, client=CONFIDENTIAL)
    handle = query_of(server.launch("riverside", confidential.client.id))["launch"]
    answer = query_of(public.authorize(scope="launch patient/*.rs", launch=handle).headers["location"])
    assert (answer["error"], answer["error_description"]) == ("invalid_request", "launch was given to another client")
    unscoped = query_of(confidential.authorize(scope="patient/*.rs", launch=handle).headers["location"])
    assert unscoped["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"code": None}, "invalid_request", "code is missing"),
        ({"redirect_uri": None}, "invalid_request", "redirect_uri is missing"),
        ({"code": "made-up"}, "invalid_grant", "no such code"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, "invalid_grant", "redirect_uri is another"),
        ({"code_verifier": None}, "invalid_grant", "code_verifier is missing"),
        ({"code_verifier": "w" * 43}, "invalid_grant", "does not match"),
        ({"code_verifier": "short"}, "invalid_grant", "does not match"),
        ({"grant_type": "refresh_token"}, "invalid_request", "refresh_token is missing"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", "unknown here"),
        ({"grant_type": "password"}, "unsupported_grant_type", "supported"),
        ({"grant_type": "client_credentials"}, "unauthorized_client", "not registered for client_credentials"),
    ],
)
def test_a_token_request_that_is_wrong(
    app: App, server: SandboxServer, changes: dict[str, str | None], error: str, words: str
) -> None:
    response = app.redeem(app.code(), **changes)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert words in response.json()["error_description"]
    assert response.headers["cache-control"] == "no-store"
    assert f"the token endpoint refused with {error}: " in server.log.lines[-1].words
    assert words in server.log.lines[-1].words


def test_a_code_is_bound_to_its_client_and_its_organisation(server: SandboxServer, http: httpx.Client) -> None:
    public, confidential, elsewhere = (
        app_at(server, http),
        app_at(server, http, client=CONFIDENTIAL),
        app_at(server, http, "lakeshore"),
    )
    confidential.verifier = elsewhere.verifier = public.verifier
    assert confidential.redeem(public.code()).json()["error_description"] == "the code was issued to another client"
    assert elsewhere.redeem(public.code()).json()["error_description"] == "no such code was issued here"
    refresh = public.sign_in()["refresh_token"]
    stolen = confidential.ask(grant_type="refresh_token", refresh_token=refresh)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert (
        public.ask(grant_type="refresh_token", refresh_token=refresh, scope="user/*.cruds").json()["error"]
        == "invalid_scope"
    )
    assert public.ask(grant_type="refresh_token", refresh_token=refresh).status_code == 200, "nothing was spent by that"


def test_a_secret_is_asked_of_those_that_have_one(server: SandboxServer, http: httpx.Client) -> None:
    app = app_at(server, http, client=CONFIDENTIAL)
    form = {"grant_type": "authorization_code", "code": app.code(), "redirect_uri": REDIRECT}
    bare = http.post(app.token_endpoint, data=form | {"client_id": app.client.id, "code_verifier": app.verifier})
    assert (bare.status_code, bare.json()["error"]) == (401, "invalid_client")
    assert "registered for client_secret_basic" in server.log.lines[-1].words
    posted = http.post(app.token_endpoint, data=form | {"client_id": app.client.id, "client_secret": app.client.secret})
    assert "not registered for client_secret_post" in posted.json()["error_description"]
    mixed = app.ask(**form, client_id="public-app", code_verifier=app.verifier)
    assert mixed.json()["error"] == "invalid_request"


EC, OTHER, RSA = ECKey.generate_key("P-384"), ECKey.generate_key("P-384"), RSAKey.generate_key(2048)


def public_jwk(key: ECKey | RSAKey, **members: str) -> dict[str, Any]:
    return {**key.as_dict(private=False), **members}


KEYED = Client(
    id="keyed",
    methods=("private_key_jwt",),
    jwks={
        "keys": [
            public_jwk(EC, kid="ec"),
            public_jwk(RSA, kid="rsa"),
            public_jwk(EC, kid="twice"),
            public_jwk(OTHER, kid="twice"),
        ]
    },
    scopes=("system/Patient.rs", "system/Observation.rs"),
    grant_types=("client_credentials",),
)


def signed(audience: str, header: dict[str, Any], claims: dict[str, Any], key: ECKey | RSAKey) -> str:
    now = int(time.time())
    head = {"alg": "ES384", "kid": "ec", "typ": "JWT", **header}
    body = {
        "iss": KEYED.id,
        "sub": KEYED.id,
        "aud": audience,
        "exp": now + 200,
        "jti": base64.b64encode(str(time.perf_counter_ns()).encode()).decode(),
        **claims,
    }
    return jwt.encode(
        head, {name: value for name, value in body.items() if value is not None}, key, algorithms=[head["alg"]]
    )


def backend(http: httpx.Client, endpoint: str, assertion: str, scope: str = "system/Patient.rs") -> httpx.Response:
    form = {"grant_type": "client_credentials", "scope": scope, "client_assertion_type": ASSERTION_TYPE}
    return http.post(endpoint, data=form | {"client_assertion": assertion})


@pytest.mark.parametrize(
    ("header", "claims", "key", "words"),
    [
        ({}, {"iss": "nobody", "sub": "nobody"}, EC, "iss names no client"),
        ({}, {"sub": "other"}, EC, "iss and sub must both be"),
        ({}, {"aud": "https://elsewhere.example/token"}, EC, "aud must be"),
        ({}, {"exp": int(time.time()) - 1}, EC, "the assertion has expired"),
        ({}, {"exp": int(time.time()) + 3_000}, EC, "by five minutes at most"),
        ({}, {"exp": None}, EC, "exp must lie ahead"),
        ({}, {"jti": None}, EC, "jti is missing"),
        ({}, {}, OTHER, "signature does not verify"),
        ({"kid": "unknown"}, {}, EC, "no registered key has this kid"),
        ({"kid": "twice"}, {}, EC, "or several do"),
        ({"kid": "rsa"}, {}, EC, "no registered key has this kid and the type"),
        ({"alg": "RS256", "kid": "rsa"}, {}, RSA, "alg must be one of RS384, ES384"),
        ({"jku": "https://evil.example/jwks"}, {}, EC, "jku is not the JWK Set URL"),
    ],
)
def test_an_assertion_that_proves_nothing(
    server: SandboxServer,
    http: httpx.Client,
    riverside: str,
    header: dict[str, Any],
    claims: dict[str, Any],
    key: Any,
    words: str,
) -> None:
    server.register("riverside", KEYED)
    endpoint = f"{riverside}/oauth2/token"
    response = backend(http, endpoint, signed(endpoint, header, claims, key))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert words in response.json()["error_description"]
    assert words in server.log.lines[-1].words


def test_a_jti_serves_once(server: SandboxServer, http: httpx.Client, riverside: str) -> None:
    server.register("riverside", KEYED)
    endpoint = f"{riverside}/oauth2/token"
    assertion = signed(endpoint, {}, {}, EC)
    assert backend(http, endpoint, assertion).status_code == 200
    again = backend(http, endpoint, assertion)
    assert (again.status_code, again.json()["error_description"]) == (401, "this jti was used before")
    assert "this jti was used before" in server.log.lines[-1].words


def test_a_scope_beyond_the_registration_is_not_given_and_the_log_says_so(
    server: SandboxServer, http: httpx.Client, riverside: str
) -> None:
    server.register("riverside", KEYED)
    endpoint = f"{riverside}/oauth2/token"
    asked = "system/Patient.rs system/Condition.rs system/Observation.crus"
    partly = backend(http, endpoint, signed(endpoint, {}, {}, EC), asked)
    assert partly.json()["scope"] == "system/Patient.rs"
    told = server.log.lines[-2].words
    assert told.startswith("keyed asked for scopes that are not registered for it or not offered: ")
    assert told.endswith("system/Condition.rs system/Observation.crus")
    whole = backend(http, endpoint, signed(endpoint, {}, {}, EC), "system/*.rs")
    assert whole.json()["scope"] == "system/Observation.rs system/Patient.rs", "a wildcard is what it comes to"
    none = backend(http, endpoint, signed(endpoint, {}, {}, EC), "system/Condition.rs")
    assert (none.status_code, none.json()["error"]) == (400, "invalid_scope")
    assert "refused with invalid_scope: the client is registered for system/Patient.rs" in server.log.lines[-1].words


def test_a_client_that_is_not_registered_is_told_so_at_the_token_endpoint(
    server: SandboxServer, http: httpx.Client
) -> None:
    app = app_at(server, http)
    response = app.redeem(app.code(), client_id="nobody")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert "no client 'nobody' is registered here" in response.json()["error_description"]
    assert "no client 'nobody' is registered here" in server.log.lines[-1].words


def _result(number: int, other: int) -> dict[str, Any]:
    """An entry that is created once the other one was found, which waits for this one."""
    return {
        "fullUrl": f"urn:uuid:00000000-0000-4000-8000-00000000000{number}",
        "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "a"}},
        "request": {
            "method": "POST",
            "url": "Observation",
            "ifNoneExist": f"has-member=urn:uuid:00000000-0000-4000-8000-00000000000{other}",
        },
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "logged"),
    [
        ("POST", "Observation", {"a": 1}, {}, 400, "POST Observation of a-client was refused with 400: the body is no"),
        (
            "PUT",
            "Observation/o1",
            None,
            {"If-Match": 'W/"9"'},
            412,
            "was refused with 412: version 9 of Observation/o1",
        ),
        (
            "POST",
            "",
            {"resourceType": "Bundle", "type": "transaction", "entry": [_result(1, 2), _result(2, 1)]},
            {},
            400,
            "POST [base] of a-client was refused with 400: entry 0: its condition waits for",
        ),
    ],
    ids=["no resource", "wrong version", "cycle"],
)
def test_what_the_api_refuses_is_in_the_log_in_words(
    method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str], status: int, logged: str
) -> None:
    desk = Desk(hospital())
    sent = desk.get(path).json() if body is None else body
    assert desk.ask(method, path, sent, headers).status_code == status
    assert logged in desk.state.log.lines[-1].words
